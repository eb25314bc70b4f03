// The contract cases with @grpc/grpc-js. tests/clients/test_clients.py starts the server and names it in the environment.

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";

import * as grpc from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";

import type { GetCallerResponse__Output } from "../gen/billingos/v1/GetCallerResponse";
import type { ProtoGrpcType } from "../gen/organization_service";
import { Client, ContractCase } from "./client";

function setting(name: string): string {
  const value = process.env[`BOS_CONTRACT_${name}`];
  assert.ok(value, `BOS_CONTRACT_${name} is not set`);
  return value;
}

const cases = JSON.parse(fs.readFileSync(setting("CASES"), "utf8")) as ContractCase[];
const client = new Client(setting("ADDRESS"), {
  secret: setting("SECRET_KEY"),
  publishable: setting("PUBLISHABLE_KEY"),
  wrong: `bos_sk_test_${"0".repeat(49)}`,
});

after(() => client.close());

for (const one of cases) {
  test(one.name, async () => {
    let failure = "it broke off";
    try {
      await client.run(one);
      failure = "";
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      fs.appendFileSync(setting("RESULTS"), `${JSON.stringify({ name: one.name, failure })}\n`);
    }
  });
}

test("the generated types fit what the server says", async () => {
  const definition = protoLoader.loadSync("billingos/v1/organization_service.proto", {
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
    includeDirs: [path.resolve(__dirname, "../../../../../api")],
  });
  const { billingos } = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  const service = new billingos.v1.OrganizationService(setting("ADDRESS"), grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${setting("SECRET_KEY")}`);
  const answer = await new Promise<GetCallerResponse__Output>((resolve, reject) => {
    service.GetCaller({}, metadata, (error, response) => (response === undefined ? reject(error) : resolve(response)));
  });
  service.close();
  assert.equal(answer.mode, "MODE_TEST");
  assert.equal(answer.apiKey?.kind, "API_KEY_KIND_SECRET");
});
