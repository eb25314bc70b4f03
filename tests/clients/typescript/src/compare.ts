// What is expected must be a part of what there is; see tests/contract/README.md.

import { Json } from "./messages";

function isNothing(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0 || value === "0") {
    return true;
  }
  return typeof value === "object" && Object.keys(value).length === 0;
}

function wantsNothing(wanted: Json): boolean {
  return isNothing(wanted) && (typeof wanted !== "object" || wanted === null || Array.isArray(wanted));
}

function fail(path: string, got: Json | undefined, wanted: string): never {
  throw new Error(`${path}: ${JSON.stringify(got)} instead of ${wanted}`);
}

function compareText(wanted: string, got: Json | undefined, path: string): void {
  if (wanted === "*") {
    if (isNothing(got)) {
      fail(path, got, "something");
    }
  } else if (wanted.startsWith("~")) {
    if (typeof got !== "string" || !new RegExp(wanted.slice(1), "u").test(got)) {
      fail(path, got, wanted);
    }
  } else if (got !== wanted) {
    fail(path, got, wanted);
  }
}

export function compare(wanted: Json, got: Json | undefined, path: string): void {
  if (wantsNothing(wanted)) {
    if (!isNothing(got)) {
      fail(path, got, "nothing");
    }
  } else if (Array.isArray(wanted)) {
    if (!Array.isArray(got) || got.length !== wanted.length) {
      fail(path, got, `${wanted.length} elements`);
    }
    wanted.forEach((one, index) => compare(one, got[index], `${path}[${index}]`));
  } else if (typeof wanted === "object" && wanted !== null) {
    if (typeof got !== "object" || got === null || Array.isArray(got)) {
      fail(path, got, "an object");
    }
    for (const [key, inner] of Object.entries(wanted)) {
      compare(inner, got[key], `${path}.${key}`);
    }
  } else if (typeof wanted === "string") {
    compareText(wanted, got, path);
  } else if (wanted !== got) {
    fail(path, got, String(wanted));
  }
}
