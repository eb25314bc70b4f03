// What a failed call says, decoded.

import * as grpc from "@grpc/grpc-js";

import { compare } from "./compare";
import { decodeDetail, Json, JsonObject } from "./messages";

export interface WantedFailure {
  code: string;
  reason?: string;
  fields?: string[];
  metadata?: JsonObject;
  retry?: boolean;
  message?: string;
}

interface Details {
  info?: JsonObject;
  violations?: JsonObject;
  retry?: JsonObject;
  request?: JsonObject;
}

interface Any {
  type_url: string;
  value: Buffer;
}

/** Is this the failure of a call? */
export function isFailure(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}

function read(error: grpc.ServiceError): Details {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const details: Details = {};
  if (!(bytes instanceof Buffer)) {
    return details;
  }
  const status = decodeDetail("google.rpc.Status", bytes);
  for (const detail of status["details"] as unknown as Any[]) {
    const type = detail.type_url.split("/").pop() as string;
    const names: Record<string, keyof Details> = {
      "google.rpc.ErrorInfo": "info",
      "google.rpc.BadRequest": "violations",
      "google.rpc.RetryInfo": "retry",
      "google.rpc.RequestInfo": "request",
    };
    const name = names[type];
    if (name !== undefined) {
      details[name] = decodeDetail(type, detail.value);
    }
  }
  return details;
}

function waits(retry: JsonObject | undefined): boolean {
  const delay = retry?.["retryDelay"] as { seconds: string; nanos: number } | null | undefined;
  return delay !== undefined && delay !== null && (delay.seconds !== "0" || delay.nanos > 0);
}

export function checkFailure(wanted: WantedFailure, error: grpc.ServiceError, headers: JsonObject): void {
  const details = read(error);
  const { info } = details;
  if (grpc.status[error.code] !== wanted.code || error.details === "") {
    throw new Error(`${error.message} ${JSON.stringify(info)} instead of ${wanted.code}`);
  }
  if (info !== undefined) {
    compare("billingos.dev", info["domain"], "domain");
    compare(headers["x-request-id"] as Json, details.request?.["requestId"], "request id");
  }
  if (wanted.reason !== undefined) {
    compare(wanted.reason, info?.["reason"], "reason");
  }
  if (wanted.metadata !== undefined) {
    compare(wanted.metadata, info?.["metadata"], "metadata");
  }
  if (wanted.fields !== undefined) {
    const found = (details.violations?.["fieldViolations"] ?? []) as { field: string }[];
    compare([...wanted.fields].sort(), found.map((one) => one.field).sort(), "fields");
  }
  if (wanted.retry !== undefined && wanted.retry !== waits(details.retry)) {
    throw new Error(`retry: ${JSON.stringify(details.retry)}`);
  }
  if (wanted.message !== undefined) {
    compare(wanted.message, error.details, "message");
  }
}
