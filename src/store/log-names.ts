/** `20261120T094500.000Z.log`, and `….run.log` for what `ipm run` built: names sort by time. */
const LOG_NAME =
  /^(?<day>\d{4})(?<month>\d{2})(?<date>\d{2})T(?<hour>\d{2})(?<minute>\d{2})(?<rest>\d{2}\.\d{3}Z)(?<run>\.run)?\.log$/u;

/** The file's name of the log of a build. @param oneOff built for `ipm run` */
export function logName(time: Date, oneOff: boolean): string {
  return `${time.toISOString().replaceAll(/[-:]/gu, "")}${oneOff ? ".run" : ""}.log`;
}

/** Milliseconds since 1970 that a log's name says, or undefined when it is no name of a log. */
export function timeOfLog(name: string): number | undefined {
  const { day, month, date, hour, minute, rest } = LOG_NAME.exec(name)?.groups ?? {};
  const time = Date.parse(`${day}-${month}-${date}T${hour}:${minute}:${rest}`);
  return Number.isNaN(time) ? undefined : time;
}

/** True for the log of something that was built for `ipm run` alone. */
export function isOneOffLog(name: string): boolean {
  return LOG_NAME.exec(name)?.groups?.["run"] !== undefined;
}
