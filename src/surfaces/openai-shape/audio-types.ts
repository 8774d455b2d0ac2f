/**
 * Media types of the audio formats that APIs of this shape name alike. `pcm16` has 24,000 samples of 16 bits per
 * second.
 */
export const commonAudioTypes = {
  wav: "audio/wav",
  mp3: "audio/mpeg",
  aac: "audio/aac",
  flac: "audio/flac",
  pcm16: "audio/pcm",
} as const;
