// Calls methods by name, with messages in their JSON form.

import { setTimeout } from "node:timers/promises";

import * as grpc from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";

import { compare } from "./compare";
import { checkFailure, isFailure, WantedFailure } from "./failure";
import { findMethod, Json, JsonObject, toMessage } from "./messages";

/** One case, or one call in the middle of a stream; tests/contract/README.md explains it. */
export interface ContractCase {
  name: string;
  method: string;
  key?: string;
  metadata?: Record<string, string>;
  request?: JsonObject;
  deadline_ms?: number;
  within_ms?: number;
  cancel?: boolean;
  ok?: Json;
  error?: WantedFailure;
  headers?: JsonObject;
  save?: Record<string, string>;
  stream?: Step[];
}

interface Step {
  receive?: Json;
  save?: Record<string, string>;
  call?: ContractCase;
}

type Call = grpc.ClientUnaryCall | grpc.ClientReadableStream<object>;

interface Prepared {
  method: MethodDefinition<object, object>;
  request: object;
  metadata: grpc.Metadata;
  options: grpc.CallOptions;
}

const DEADLINE_MS = 30_000;

export class Client {
  private readonly variables = new Map<string, string>();
  private readonly channel: grpc.Client;

  constructor(
    address: string,
    private readonly keys: Record<string, string>,
  ) {
    this.channel = new grpc.Client(address, grpc.credentials.createInsecure());
  }

  close(): void {
    this.channel.close();
  }

  async run(one: ContractCase): Promise<void> {
    await (one.stream === undefined ? this.runUnary(one) : this.runStream(one, one.stream));
  }

  private fill(value: Json): Json {
    if (typeof value === "string") {
      return value.replace(/\$\{(\w+)\}/g, (found, name: string) => this.variables.get(name) ?? found);
    }
    if (Array.isArray(value)) {
      return value.map((one) => this.fill(one));
    }
    if (typeof value === "object" && value !== null) {
      return this.fillObject(value);
    }
    return value;
  }

  private fillObject(value: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.fill(inner)]));
  }

  private save(wanted: Record<string, string> | undefined, answer: JsonObject): void {
    for (const [name, path] of Object.entries(wanted ?? {})) {
      const value = path.split(".").reduce<Json>((outer, part) => (outer as JsonObject)[part] as Json, answer);
      this.variables.set(name, String(value));
    }
  }

  private prepare(one: ContractCase): Prepared {
    const method = findMethod(one.method);
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(one.metadata ?? {})) {
      metadata.set(key, this.fill(value) as string);
    }
    const key = this.fill(one.key ?? "secret") as string;
    if (key !== "none") {
      metadata.set("authorization", `Bearer ${this.keys[key] ?? key}`);
    }
    return {
      method,
      request: toMessage(method.requestType.type, this.fillObject(one.request ?? {})),
      metadata,
      options: { deadline: Date.now() + (one.deadline_ms ?? DEADLINE_MS) },
    };
  }

  private checkEnd(one: ContractCase, error: unknown, headers: JsonObject): void {
    if (!isFailure(error) || one.error === undefined) {
      throw error;
    }
    const wanted = { ...one.error, metadata: one.error.metadata && this.fillObject(one.error.metadata) };
    checkFailure(wanted, error, headers);
    compare(one.headers ?? {}, headers, "headers");
  }

  /** Once, or until it fits. */
  private async runUnary(one: ContractCase): Promise<void> {
    const end = Date.now() + (one.within_ms ?? 0);
    for (;;) {
      try {
        return await this.runOnce(one);
      } catch (error) {
        if (Date.now() > end) {
          throw error;
        }
      }
      await setTimeout(20);
    }
  }

  private async runOnce(one: ContractCase): Promise<void> {
    const { method, request, metadata, options } = this.prepare(one);
    const headers: JsonObject = {};
    let answer: JsonObject;
    try {
      answer = await new Promise((resolve, reject) => {
        const call = this.channel.makeUnaryRequest(
          method.path, method.requestSerialize, method.responseDeserialize, request, metadata, options,
          (error, response) => (error === null ? resolve(response as JsonObject) : reject(error)));
        keepHeaders(call, headers);
        if (one.cancel === true) {
          call.cancel();
        }
      });
    } catch (error) {
      this.checkEnd(one, error, headers);
      return;
    }
    if (one.error !== undefined) {
      throw new Error(`did not fail: ${JSON.stringify(answer)}`);
    }
    compare(this.fill(one.ok ?? {}), answer, "answer");
    compare(one.headers ?? {}, headers, "headers");
    this.save(one.save, answer);
  }

  private async runStream(one: ContractCase, steps: Step[]): Promise<void> {
    const { method, request, metadata, options } = this.prepare(one);
    const headers: JsonObject = {};
    const call = this.channel.makeServerStreamRequest(
      method.path, method.requestSerialize, method.responseDeserialize, request, metadata, options);
    keepHeaders(call, headers);
    const messages = call[Symbol.asyncIterator]() as AsyncIterator<JsonObject>;
    try {
      for (const step of steps) {
        await this.runStep(messages, step);
      }
    } catch (error) {
      call.on("error", () => undefined).cancel();
      throw error;
    }
    if (one.cancel === true) {
      compare(one.headers ?? {}, headers, "headers");
      call.cancel();
    }
    try {
      while (!(await messages.next()).done);
    } catch (error) {
      this.checkEnd(one.cancel === true ? { ...one, error: { code: "CANCELLED" } } : one, error, headers);
      return;
    }
    throw new Error("the stream ended without a failure");
  }

  private async runStep(messages: AsyncIterator<JsonObject>, step: Step): Promise<void> {
    if (step.call !== undefined) {
      await this.runUnary(step.call);
      return;
    }
    let next = await messages.next();
    while (next.done !== true && next.value["message"] === "heartbeat") {
      next = await messages.next();
    }
    if (next.done === true) {
      throw new Error("the stream ended");
    }
    compare(this.fill(step.receive ?? {}), next.value, "message");
    this.save(step.save, next.value);
  }
}

function keepHeaders(call: Call, headers: JsonObject): void {
  call.on("metadata", (metadata: grpc.Metadata) => {
    for (const [key, value] of Object.entries(metadata.getMap())) {
      headers[key] = String(value);
    }
  });
}
