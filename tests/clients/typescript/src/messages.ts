// Messages between the JSON form of the cases and the objects of @grpc/proto-loader, which differ in three types.

import * as path from "node:path";

import * as protoLoader from "@grpc/proto-loader";

const root = path.resolve(__dirname, "../../../../..");
const options: protoLoader.Options = { longs: String, enums: String, defaults: true, oneofs: true };

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

interface Field {
  name: string;
  typeName: string;
}

interface MessageType {
  field: Field[];
}

/** Everything in the given files, by full name. */
function load(folder: string, files: string[]): protoLoader.PackageDefinition {
  return protoLoader.loadSync(files, { ...options, includeDirs: [path.join(root, folder)] });
}

const services = [
  "organization", "catalog", "customer", "subscription", "entitlement", "usage", "insights", "invoice", "retention", "webhook_endpoint",
];
const api = load("api", services.map((service) => `billingos/v1/${service}_service.proto`));
const details = load("server/rpc/proto", ["google/rpc/status.proto", "google/rpc/error_details.proto"]);

/** The method "CustomerService/GetCustomer". */
export function findMethod(name: string): protoLoader.MethodDefinition<object, object> {
  const [service, method] = name.split("/") as [string, string];
  const found = (api[`billingos.v1.${service}`] as protoLoader.ServiceDefinition | undefined)?.[method];
  if (found === undefined) {
    throw new Error(`no method ${name}`);
  }
  return found;
}

/** One of the messages of google.rpc, decoded. */
export function decodeDetail(type: string, bytes: Buffer): JsonObject {
  const found = details[type] as protoLoader.MessageTypeDefinition<object, object> | undefined;
  return found === undefined ? {} : (found.deserialize(bytes) as JsonObject);
}

function snakeCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function seconds(text: string): JsonObject {
  const [whole, part = ""] = text.replace(/s$/, "").split(".") as [string, string?];
  return { seconds: whole, nanos: Number(part.padEnd(9, "0")) };
}

function timestamp(text: string): JsonObject {
  const milliseconds = Date.parse(text);
  return { seconds: String(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1_000_000 };
}

function convert(field: Field, value: Json): Json {
  if (Array.isArray(value)) {
    return value.map((one) => convert(field, one));
  }
  if (typeof value === "string") {
    switch (field.typeName.split(".").pop()) {
      case "FieldMask":
        return { paths: value.split(",").map(snakeCase) };
      case "Duration":
        return seconds(value);
      case "Timestamp":
        return timestamp(value);
    }
    return value;
  }
  const nested = api[`billingos.v1.${field.typeName}`]?.["type"] as MessageType | undefined;
  return nested === undefined || typeof value !== "object" || value === null ? value : toMessage(nested, value);
}

/** The JSON form of a message as the object that is serialized; unknown members are refused. */
export function toMessage(type: object, json: JsonObject): JsonObject {
  const message: JsonObject = {};
  for (const [key, value] of Object.entries(json)) {
    const field = (type as MessageType).field.find((one) => one.name === key);
    if (field === undefined) {
      throw new Error(`no field ${key}`);
    }
    message[key] = convert(field, value);
  }
  return message;
}
