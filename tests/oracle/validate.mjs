// One document a line in ({"yaml": TEXT}), one verdict a line out. With --bench, only the times as JSON: of all, and the median of one.
import { createInterface } from "node:readline";
import { generateManifest, generateManifestVersion, manifestToSortedJSON } from "@akashnetwork/chain-sdk";
import yaml from "js-yaml";

const message = (fault) => String(fault?.message ?? fault).split("\n")[0];

async function verdict(text) {
  try {
    const made = generateManifest(yaml.load(text));
    if (!made.ok) return { accepted: false, errors: made.value.map(message) };
    const version = Buffer.from(await generateManifestVersion(made.value.groups)).toString("hex");
    return {
      accepted: true,
      manifest: manifestToSortedJSON(made.value.groups),
      groups: manifestToSortedJSON(made.value.groupSpecs),
      hash: version,
    };
  } catch (fault) {
    return { accepted: false, errors: [message(fault)] };
  }
}

const plain = (text) => {
  try {
    return { value: yaml.load(text) };
  } catch (fault) {
    return { fault: message(fault) };
  }
};

const lines = [];
for await (const line of createInterface({ input: process.stdin })) lines.push(JSON.parse(line));

if (process.argv.includes("--bench")) {
  for (const { yaml: text } of lines.slice(0, 200)) await verdict(text); // the engine warms up
  const begin = performance.now();
  const times = [];
  for (const { yaml: text } of lines) {
    const start = performance.now();
    await verdict(text);
    times.push(performance.now() - start);
  }
  const milliseconds = performance.now() - begin;
  const median = times.sort((one, other) => one - other)[times.length >> 1];
  console.log(JSON.stringify({ documents: lines.length, milliseconds, median }));
} else {
  for (const { yaml: text, only } of lines) {
    process.stdout.write(JSON.stringify(only === "yaml" ? plain(text) : await verdict(text)) + "\n");
  }
}
