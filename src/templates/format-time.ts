import { TemplateProblem } from "./problem.ts";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const twoDigits = (value: number) => String(value).padStart(2, "0");

/**
 * Directives of Python's `strftime`, in the C locale and local time, as Hugging Face's `strftime_now` uses them.
 * https://docs.python.org/3/library/datetime.html#format-codes
 */
const directives: Readonly<Record<string, (date: Date) => string>> = {
  "%": () => "%",
  A: (date) => days[date.getDay()] ?? "",
  B: (date) => months[date.getMonth()] ?? "",
  H: (date) => twoDigits(date.getHours()),
  I: (date) => twoDigits(date.getHours() % 12 || 12),
  M: (date) => twoDigits(date.getMinutes()),
  S: (date) => twoDigits(date.getSeconds()),
  Y: (date) => String(date.getFullYear()),
  a: (date) => days[date.getDay()]?.slice(0, 3) ?? "",
  b: (date) => months[date.getMonth()]?.slice(0, 3) ?? "",
  d: (date) => twoDigits(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2, " "),
  m: (date) => twoDigits(date.getMonth() + 1),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  y: (date) => twoDigits(date.getFullYear() % 100),
};

/** Formats a time. `%-d` omits leading zeros. Throws TemplateProblem for a directive that is not supported. */
export function formatTime(date: Date, format: string): string {
  return format.replace(/%(-?)(.?)/gsu, (directive, bare: string, letter: string) => {
    const write = Object.hasOwn(directives, letter) ? directives[letter] : undefined;
    if (write === undefined) throw new TemplateProblem(`strftime_now does not support ${directive}`);
    return bare === "" ? write(date) : write(date).replace(/^[0 ](?=.)/, "");
  });
}
