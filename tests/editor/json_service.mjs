// VS Code's JSON language service as a process: a line of JSON in, a line of JSON out.
//
// node json_service.mjs NODE_MODULES, then {"text", "uri", "schemas", "ask", "position"} a line, of
// which "schemas" are those of VS Code's settings: [{"fileMatch": [...], "url": ...}].

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const load = createRequire(`${process.argv[2]}/`);
const { getLanguageService, TextDocument } = load("vscode-json-languageservice");

const service = getLanguageService({
  schemaRequestService: (url) => readFile(fileURLToPath(url), "utf8"),
  workspaceContext: { resolveRelativePath: (path, from) => new URL(path, from).href },
  clientCapabilities: {
    textDocument: {
      completion: { completionItem: { documentationFormat: ["markdown"] } },
      hover: { contentFormat: ["markdown"] },
    },
  },
});

const asks = {
  completion: (document, tree, at) => service.doComplete(document, at, tree),
  hover: (document, tree, at) => service.doHover(document, at, tree),
  diagnostics: (document, tree) => service.doValidation(document, tree),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { text, uri, schemas, ask, position } = JSON.parse(line);
  const uris = schemas.map(({ fileMatch, url }) => ({ fileMatch, uri: url }));
  service.configure({ validate: true, schemas: uris });
  const document = TextDocument.create(uri, "json", 1, text);
  const answer = await asks[ask](document, service.parseJSONDocument(document), position);
  console.log(JSON.stringify(answer ?? null));
}
