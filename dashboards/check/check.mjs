// Checks the dashboards against Grafana's own schema.
// Usage: node check.mjs [dashboard.json ...], by default those beside this folder.

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, release, validators, versions } from './schema.mjs';

const dashboards = join(dirname(fileURLToPath(import.meta.url)), '..');
const files = process.argv.length > 2
  ? process.argv.slice(2).map((f) => resolve(f))
  : readdirSync(dashboards).filter((f) => f.endsWith('.json')).sort().map((f) => join(dashboards, f));
if (files.length === 0) {
  console.error(`no dashboards in ${dashboards}`);
  process.exit(1);
}
let wrong = 0;
for (const version of versions) {
  const types = validators(version);
  for (const file of files) {
    const dashboard = JSON.parse(readFileSync(file, 'utf8'));
    const where = `${relative(process.cwd(), file)}: Grafana ${release(version)}`;
    const lines = check(dashboard, types);
    wrong += lines.length;
    for (const line of lines) console.error(`${where}: ${line}`);
    if (lines.length === 0) console.log(`${where}: ok, ${dashboard.panels.length} panels`);
  }
}
process.exit(wrong === 0 ? 0 : 1);
