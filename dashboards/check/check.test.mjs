// Proves that the check finds what it is for: each case breaks a good dashboard
// in one way and expects exactly that complaint.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { check, release, validators, versions } from './schema.mjs';

const good = () => JSON.parse(readFileSync(new URL('../cloudsso-failures.json', import.meta.url), 'utf8'));
const first = (d, type) => d.panels.find((p) => p.type === type);

const cases = [
  ['wrong enum', (d) => { first(d, 'stat').options.colorMode = 'backgroud'; }, /options\/colorMode: "backgroud" is none of/],
  ['unknown option', (d) => { first(d, 'stat').options.showHeadr = true; }, /options: unknown key "showHeadr"/],
  ['wrong type', (d) => { first(d, 'stat').gridPos.w = '4'; }, /gridPos\/w: "4" is no number/],
  ['unknown panel key', (d) => { first(d, 'stat').titel = 'x'; }, /unknown key "titel"/],
  ['unknown dashboard key', (d) => { d.tag = []; }, /unknown key "tag"/],
  ['removed panel type', (d) => { first(d, 'timeseries').type = 'graph'; }, /type: "graph" is none of/],
  ['custom option', (d) => { first(d, 'timeseries').fieldConfig.defaults.custom.drawStyle = 'bar'; }, /custom\/drawStyle: "bar" is none of/],
  ['threshold mode', (d) => { first(d, 'stat').fieldConfig.defaults.thresholds.mode = 'abs'; }, /thresholds\/mode: "abs" is none of/],
  ['override of no property', (d) => { first(d, 'table').fieldConfig.overrides[0].properties[0].id = 'units'; }, /"units" is no property of a table/],
  ['override value', (d) => { first(d, 'table').fieldConfig.overrides[0].properties.push({ id: 'decimals', value: '2' }); }, /value: "2" is no number/],
  ['variable type', (d) => { d.templating.list[0].type = 'data source'; }, /templating\/list\/0\/type: "data source" is none of/],
  ['link type', (d) => { d.links[0].type = 'dashboard'; }, /links\/0\/type: "dashboard" is none of/],
];

const all = new Map(versions.map((v) => [v, validators(v)])); // slow: once each
for (const [version, types] of all) {
  test(`Grafana ${release(version)}: a good dashboard`, () => assert.deepEqual(check(good(), types), []));
  for (const [name, breakIt, want] of cases) {
    test(`Grafana ${release(version)}: ${name}`, () => {
      const dashboard = good();
      breakIt(dashboard);
      const lines = check(dashboard, types);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0], want);
    });
  }
}
const floor = all.get(versions[0]);
test('a query with a wrong format', () => {
  const dashboard = good();
  first(dashboard, 'stat').targets[0].format = 'tabel';
  assert.match(check(dashboard, floor).join(), /targets\/0\/format: "tabel" is none of/);
});
