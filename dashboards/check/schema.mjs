// Says what Grafana's own TypeScript types do not allow in a dashboard: unknown
// keys, wrong types and values that no enum has.
//
// The types are turned into JSON schemas, and each part is checked by the type
// that Grafana reads it with: the dashboard without its panels, each panel, its
// options and custom field configuration by the panel's type, each
// override by the property it names, each query. One schema for all would
// answer every mistake with a page of unions that did not match either.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const here = dirname(fileURLToPath(import.meta.url));
const panelTypes = ['bargauge', 'stat', 'state-timeline', 'table', 'timeseries'];

// The two ends of what is supported, pinned in package.json: the last Grafana 10
// (earlier releases of its types miss what Grafana has) and a current one. The
// types require what a dashboard may leave to Grafana: when it loads a panel, it
// fills in the defaults of the panel's type. So nothing counts as required here.
export const versions = [
  { name: 'grafana-schema-floor', types: 'dist/esm', file: (kind, title) => `${title}_types.gen`, queries: true },
  { name: 'grafana-schema-head', types: 'dist/types', file: () => 'types.gen', queries: false },
];

// What a type does not say, and why it may stand.
const allowed = [
  // The Prometheus data source keeps its annotation query in keys of its own.
  { at: /^annotations\/list\/\d+$/, keys: ['expr', 'step', 'tagKeys', 'titleFormat'] },
];

const composable = {
  bargauge: 'BarGauge', stat: 'Stat', 'state-timeline': 'StateTimeline', table: 'Table', timeseries: 'TimeSeries',
};

// release is the version of Grafana whose types these are.
export function release(version) {
  return JSON.parse(readFileSync(join(here, 'node_modules', version.name, 'package.json'), 'utf8')).version;
}

// validators returns one function per kind of part: (value) => ajv errors.
export function validators(version) {
  const root = join(here, 'node_modules', version.name, version.types);
  const raw = (path, title) => `${relative(here, root)}/raw/${path}/x/${version.file(path, title)}`.replaceAll('\\', '/');
  const dir = mkdtempSync(join(here, '.types-'));
  try {
    const lines = [];
    const include = (name, from, path) => lines.push(
      `import type { ${from} as ${name}_ } from '../${path}';`, `export interface ${name} extends ${name}_ {}`);
    const core = raw('dashboard', 'dashboard');
    for (const name of ['Dashboard', 'Panel', 'FieldConfig']) include(name, name, core);
    if (version.queries) include('Query', 'PrometheusDataQuery', raw('composable/prometheus/dataquery', 'PrometheusDataQuery'));
    const exported = new Map();
    for (const type of panelTypes) {
      const name = composable[type];
      const path = raw(`composable/${type.replaceAll('-', '')}/panelcfg`, `${name}PanelCfg`);
      const source = readFileSync(join(here, `${path}.d.ts`), 'utf8');
      for (const what of ['Options', 'FieldConfig']) {
        if (source.includes(`interface ${what} `)) {
          include(`${name}${what}`, what, path);
          exported.set(`${type}/${what}`, `${name}${what}`);
        }
      }
    }
    // The early table panel takes its type straight from the common ones.
    if (!exported.has('table/FieldConfig')) {
      include('TableFieldConfig', 'TableFieldOptions', `${relative(here, root)}/index`);
      exported.set('table/FieldConfig', 'TableFieldConfig');
    }
    writeFileSync(join(dir, 'all.ts'), lines.join('\n'));
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({
      compilerOptions: {
        strict: true, module: 'esnext', moduleResolution: 'bundler', target: 'es2022', skipLibCheck: true, noEmit: true, types: [],
        baseUrl: '.', paths: { '@grafana/schema': [`../${relative(here, root)}/index`] },
      },
      files: ['all.ts'],
    }));
    const generator = createGenerator({
      path: join(dir, 'all.ts'), tsconfig: join(dir, 'tsconfig.json'), skipTypeCheck: true, expose: 'none', topRef: false, additionalProperties: false,
    });
    const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
    const compile = (name) => ajv.compile(loosen(generator.createSchema(name)));
    const parts = new Map([['dashboard', compile('Dashboard')], ['panel', compile('Panel')]]);
    const standard = generator.createSchema('FieldConfig');
    if (version.queries) parts.set('query', compile('Query'));
    for (const [key, name] of exported) parts.set(key, compile(name));
    const property = (schema, name) => {
      const found = (schema.properties ?? {})[name];
      return found && ajv.compile(loosen({ definitions: schema.definitions, ...found }));
    };
    const customs = new Map([...exported].filter(([k]) => k.endsWith('/FieldConfig')).map(([k, n]) => [k, generator.createSchema(n)]));
    return {
      part: (key) => parts.get(key),
      standard: (name) => property(standard, name),
      custom: (type, name) => customs.has(`${type}/FieldConfig`) && property(customs.get(`${type}/FieldConfig`), name),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

// loosen drops "required".
function loosen(schema) {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map(loosen);
  return Object.fromEntries(Object.entries(schema).filter(([k, v]) => !(k === 'required' && Array.isArray(v))).map(([k, v]) => [k, loosen(v)]));
}

// complaints turns ajv's errors into lines, without the noise: of a union that
// did not match, only the errors that are deepest in the value say something.
function complaints(errors, at) {
  const lines = [];
  const unions = errors.filter((e) => e.keyword === 'anyOf');
  for (const e of errors) {
    if (e.keyword === 'anyOf') continue;
    const union = unions.find((u) => e.schemaPath.startsWith(`${u.schemaPath}/`) || e.instancePath.startsWith(u.instancePath));
    if (union) {
      const depth = Math.max(...errors.filter((o) => o.keyword !== 'anyOf' && o.instancePath.startsWith(union.instancePath)).map((o) => o.instancePath.split('/').length));
      if (e.instancePath.split('/').length < depth) continue;
    }
    const path = [at, ...e.instancePath.split('/').slice(1)].filter(Boolean).join('/');
    const key = e.params.additionalProperty;
    if (key && allowed.some((a) => a.at.test(path) && a.keys.includes(key))) continue;
    let what = e.message;
    if (key) what = `unknown key ${JSON.stringify(key)}`;
    if (e.keyword === 'enum') what = `${JSON.stringify(e.data)} is none of ${e.params.allowedValues.map((v) => JSON.stringify(v)).join(', ')}`;
    if (e.keyword === 'type') what = `${JSON.stringify(e.data)} is no ${[e.params.type].flat().join(' or ')}`;
    if (e.keyword === 'const') what = `${JSON.stringify(e.data)} is not ${JSON.stringify(e.params.allowedValue)}`;
    lines.push(`${path || '(top)'}: ${what}`);
  }
  return [...new Set(lines)];
}

// check returns, a line each, what is wrong with one dashboard by one version's types.
export function check(dashboard, types) {
  const lines = [];
  const run = (validate, value, at) => {
    if (validate && !validate(value)) lines.push(...complaints(validate.errors, at));
  };
  const { panels = [], ...rest } = dashboard;
  run(types.part('dashboard'), rest, '');
  panels.forEach((panel, n) => {
    const at = `panels/${n}`;
    if (!panelTypes.includes(panel.type)) {
      lines.push(`${at}/type: ${JSON.stringify(panel.type)} is none of ${panelTypes.join(', ')}`);
      return;
    }
    const { fieldConfig: { overrides = [], defaults = {} } = {} } = panel;
    run(types.part('panel'), panel, at);
    run(types.part(`${panel.type}/Options`), panel.options ?? {}, `${at}/options`);
    if (defaults.custom) run(types.part(`${panel.type}/FieldConfig`), defaults.custom, `${at}/fieldConfig/defaults/custom`);
    overrides.forEach((override, i) => override.properties.forEach((p, j) => {
      const where = `${at}/fieldConfig/overrides/${i}/properties/${j}`;
      const name = p.id.replace(/^custom\./, '');
      const validate = p.id === name ? types.standard(name) : types.custom(panel.type, name);
      if (!validate) lines.push(`${where}/id: ${JSON.stringify(p.id)} is no property of a ${panel.type}`);
      else run(validate, p.value, `${where}/value`);
    }));
    (panel.targets ?? []).forEach((t, i) => run(types.part('query'), t, `${at}/targets/${i}`));
  });
  return lines;
}
