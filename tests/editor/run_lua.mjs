// What Neovim's settings in Lua give the language servers: {name: config} and those enabled.
//
// node run_lua.mjs NODE_MODULES FOLDER, with the Lua on standard input; FOLDER is Neovim's.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, folder] = process.argv.slice(2);
const { LuaFactory } = createRequire(`${modules}/`)("wasmoon");

const said = { config: {}, enabled: [] };
const lua = await new LuaFactory().createEngine();
lua.global.set("vim", {
  fn: { fnamemodify: (path, how) => (how === ":p" ? resolve(folder, path) : path) },
  uri_from_fname: (path) => pathToFileURL(path).href,
  lsp: {
    config: (name, config) => (said.config[name] = config),
    enable: (names) => (said.enabled = names),
  },
});
await lua.doString(readFileSync(0, "utf8"));
console.log(JSON.stringify(said));
