import { javaRelease } from "./java.ts";

/** What matters of a `pom.xml`. */
export interface Pom {
  readonly path: string;
  readonly artifact: string | null;
  readonly version: string | null;
  readonly description: string | null;
  readonly url: string | null;
  readonly license: string | null;
  readonly packaging: string;
  readonly modules: readonly string[];
  readonly release: number | null;
  readonly mainClass: string | null;
  /** A plugin of it makes a jar that holds its dependencies. */
  readonly makesCompleteJar: boolean;
  /** Libraries that it needs at run time. */
  readonly hasDependencies: boolean;
}

function element(text: string, name: string): string | null {
  return new RegExp(String.raw`<${name}>\s*([^<]*?)\s*</${name}>`, "u").exec(text)?.[1] ?? null;
}

/** The assembly plugin makes a jar of everything, and does so in the build: without an execution it is only configured. */
function assembles(plugins: string): boolean {
  return [...plugins.matchAll(/<plugin>(?:(?!<\/plugin>)[\s\S])*<\/plugin>/gu)].some(
    ([plugin]) => /jar-with-dependencies/u.test(plugin) && /<execution>/u.test(plugin),
  );
}

/** Read what matters of a `pom.xml`: by its elements, without resolving parents or profiles. */
export function readPom(path: string, raw: string): Pom {
  const text = raw.replaceAll(/<!--[\s\S]*?-->/gu, "");
  const own = text.replaceAll(
    /<(parent|dependencies|dependencyManagement|build|profiles|reporting|licenses|developers|scm)>[\s\S]*?<\/\1>/gu,
    "",
  );
  const properties = new Map(
    [
      ...(/<properties>([\s\S]*?)<\/properties>/u.exec(text)?.[1] ?? "").matchAll(/<([\w.-]+)>\s*([^<]*?)\s*<\/\1>/gu),
    ].map((match) => [match[1] ?? "", match[2] ?? ""]),
  );
  const resolve = (value: string | null | undefined): string | undefined =>
    value?.replaceAll(/\$\{([\w.-]+)\}/gu, (whole, name: string) => properties.get(name) ?? whole);
  const plugins = /<build>([\s\S]*)<\/build>/u.exec(text)?.[1] ?? "";
  const compiler = /<artifactId>maven-compiler-plugin<\/artifactId>[\s\S]*?<\/plugin>/u.exec(plugins)?.[0] ?? "";
  const releases = [
    properties.get("maven.compiler.release"),
    element(compiler, "release"),
    properties.get("java.version"),
    properties.get("maven.compiler.target"),
    element(compiler, "target"),
    properties.get("maven.compiler.source"),
  ].map((value) => javaRelease(resolve(value)));
  const dependencies = [
    ...text
      .replace(/<dependencyManagement>[\s\S]*?<\/dependencyManagement>/u, "")
      .replace(/<build>[\s\S]*<\/build>/u, "")
      .matchAll(/<dependency>([\s\S]*?)<\/dependency>/gu),
  ];
  const needed = dependencies.filter((match) => !/<scope>\s*(?:test|provided)\s*<\/scope>/u.test(match[1] ?? ""));
  const main = resolve(element(text, "mainClass"));
  return {
    path,
    artifact: element(own, "artifactId"),
    version: element(own, "version"),
    description: element(own, "description"),
    url: element(own, "url"),
    license: /<licenses>[\s\S]*?<name>\s*([^<]*?)\s*<\/name>/u.exec(text)?.[1] ?? null,
    packaging: element(own, "packaging") ?? "jar",
    modules: [
      ...(/<modules>([\s\S]*?)<\/modules>/u.exec(text)?.[1] ?? "").matchAll(/<module>\s*([^<]*?)\s*<\/module>/gu),
    ].map((match) => match[1] ?? ""),
    release: releases.find((value) => value !== null) ?? null,
    mainClass: main === undefined || main.includes("$") ? null : main,
    makesCompleteJar:
      /<artifactId>(?:maven-shade-plugin|spring-boot-maven-plugin|quarkus-maven-plugin)<\/artifactId>/u.test(plugins) ||
      assembles(plugins),
    hasDependencies: needed.length > 0,
  };
}
