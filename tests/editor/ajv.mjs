// The places in a document that ajv, JavaScript's usual validator, refuses.
//
// node ajv.mjs NODE_MODULES, with {"schema", "document"} on standard input.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { default: Ajv } = createRequire(`${process.argv[2]}/`)("ajv");

const { schema, document } = JSON.parse(readFileSync(0, "utf8"));
const valid = new Ajv({ strict: false, allErrors: true }).compile(schema);
valid(document);
console.log(JSON.stringify((valid.errors ?? []).map((error) => error.instancePath)));
