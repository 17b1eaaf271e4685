// What mail clients cannot show of a digest, by caniemail's data; development only.
//
//   cd "$(mktemp -d)" && npm install caniemail@1.0.5
//   node …/benchmarks/caniemail.mjs digest.html [MORE.html]
//
// A line for each complaint, with the clients it is about. That library does not know the new Outlook
// (outlook.com) as a client: what it cannot show is read from the data itself.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.cwd()}/`));
const { caniemail } = await import(pathToFileURL(require.resolve('caniemail')));
const data = require('caniemail/caniemail.json').data;
const CLIENTS = ['gmail.*', 'outlook.*', 'apple-mail.*'];

function told(kind, issues) {
  const clients = new Map();
  for (const [client, found] of issues) {
    for (const { title, notes = [] } of found) {
      const line = [title, ...notes].join(' | ');
      clients.set(line, [...(clients.get(line) ?? []), client]);
    }
  }
  for (const [line, names] of [...clients].sort()) {
    console.log(`${kind}: ${line} :: ${[...new Set(names)].join(' ')}`);
  }
}

function newOutlook(html) {
  for (const { slug, category, stats, notes_by_num: notes = {} } of data) {
    const [last] = Object.values(stats.outlook?.['outlook-com'] ?? {}).slice(-1);
    if (!last || last === 'y' || category !== 'css') continue;
    const name = slug.replace(/^css-/, '');
    if (!html.includes(name.startsWith('at-media') ? '@media' : `${name}:`)) continue;
    const why = [...last.matchAll(/#(\d+)/g)].map(([, n]) => notes?.[n] ?? n);
    console.log(`outlook.com: ${name} ${last} ${why.join(' | ')}`);
  }
}

for (const path of process.argv.slice(2)) {
  const html = fs.readFileSync(path, 'utf8');
  console.log(`== ${path}`);
  // The library stops at word-wrap, for which its data lacks some clients.
  const { issues } = caniemail({ clients: CLIENTS, html: html.replace(/word-wrap:[^;"]*;?/g, '') });
  told('error', issues.errors);
  told('warning', issues.warnings);
  newOutlook(html);
}
