import type { Family } from "./metrics.ts";
import { type TextForm, toPrometheusText } from "./prometheus-text.ts";

/** Content types of the page: https://prometheus.io/docs/instrumenting/content_negotiation/ */
const contentTypes = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const satisfies Record<TextForm, string>;

/** Largest share of the time that writing the page may take: nobody needs a key for it. */
const share = 0.1;

/** Longest time in ms for which a page is returned again. */
const longestMs = 1_000;

interface Written {
  readonly text: string;
  readonly untilMs: number;
}

/** Page with metrics. */
export interface Page {
  /** Returns the metrics in the form that the header `accept` names. */
  render(accept: string): RenderedPage | Promise<RenderedPage>;
}

interface ImmediatePage extends Page {
  render(accept: string): RenderedPage;
}

interface RenderedPage {
  readonly contentType: string;
  readonly text: string;
}

/**
 * Creates the page `/metrics`. A page of thousands of values takes milliseconds: it is returned again for nine times the
 * time that writing it took, at most a second.
 *
 * @param now milliseconds of a clock that never goes back
 */
export function createPage(families: readonly Family[], now: () => number = () => performance.now()): ImmediatePage {
  const latest = new Map<TextForm, Written>();
  return {
    render(accept) {
      const form = formOf(accept);
      const contentType = contentTypes[form];
      const beginMs = now();
      const known = latest.get(form);
      if (known !== undefined && beginMs < known.untilMs) return { contentType, text: known.text };
      const text = toPrometheusText(families, form);
      const endMs = now();
      latest.set(form, { text, untilMs: endMs + Math.min((endMs - beginMs) * (1 / share - 1), longestMs) });
      return { contentType, text };
    },
  };
}

/** Creates the page `/metrics` of metrics that other processes have, too. It is returned again for a second. */
export function createGatheredPage(gather: () => Promise<readonly Family[]>): Page {
  const latest = new Map<TextForm, { readonly page: Promise<RenderedPage>; readonly untilMs: number }>();
  const render = async (form: TextForm): Promise<RenderedPage> => {
    return { contentType: contentTypes[form], text: toPrometheusText(await gather(), form) };
  };
  return {
    render(accept) {
      const form = formOf(accept);
      const known = latest.get(form);
      if (known !== undefined && performance.now() < known.untilMs) return known.page;
      const page = render(form);
      latest.set(form, { page, untilMs: performance.now() + longestMs });
      return page;
    },
  };
}

function formOf(accept: string): TextForm {
  return /\bapplication\/openmetrics-text\b/.test(accept) ? "openmetrics" : "prometheus";
}
