import { members } from "../kit/unread.ts";

// Members inside a candidate that need no warning. Unknown ones of the candidate itself are metadata, and those of a
// part are kinds of content. Source: the types of @google/genai 3.1.0.

export const contentMembers = members("content", { parts: true, role: true });

export const callMembers = members("functionCall", {
  ...{ id: true, name: true, args: true, willContinue: true },
  partialArgs: {
    ...{ jsonPath: true, stringValue: true, numberValue: true, boolValue: true, nullValue: true, willContinue: true },
  },
});

export const inlineMembers = members("inlineData", { mimeType: true, data: true, displayName: true });
export const fileMembers = members("fileData", { mimeType: true, fileUri: true, displayName: true });
