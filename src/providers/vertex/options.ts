import type { z } from "zod";
import { pattern, section, text } from "../../config/rules.ts";

/** Host of the location `global`. */
export const globalHost = "aiplatform.googleapis.com";

export const optionsSchema = section({
  /** Google Cloud project to bill. Default: GOOGLE_CLOUD_PROJECT, else the project of the credentials. */
  project: pattern(/^[a-z0-9.:-]+$/, "write a project id such as my-project-1").optional(),
  /** `global`, `eu`, `us`, or a region such as `europe-west4`. Default: GOOGLE_CLOUD_LOCATION, else `global`. */
  location: pattern(/^[a-z0-9-]+$/, "write global, eu, us or a region such as europe-west4").optional(),
  /** Path of a service account key file. Default: the application default credentials. */
  key_file: text.optional(),
});

export type Options = z.output<typeof optionsSchema>;
