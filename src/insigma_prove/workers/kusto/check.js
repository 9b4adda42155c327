// Parses and binds KQL with Microsoft's Kusto language service. Speaks JSON lines, one reply for each request:
//   {"query": text, "tables": {table: {column: type}}, "watchlists": {column: type} | null}
//   -> {"columns": [[name, type], ...] | null, "warnings": [text, ...]} or {"stage": "parse" | "type", "message": text}
//   {"version": true} -> {"version": "12.4.1"}
// A request without "tables" reuses those of the request before.
'use strict';

const path = require('path');
const readline = require('readline');

const service = path.dirname(require.resolve('@kusto/language-service-next/bridge.min.js'));
require(path.join(service, 'bridge.min.js'));
require(path.join(service, 'Kusto.Language.Bridge.min.js'));

const { Language } = globalThis.Kusto;
const { Symbols } = Language;
let globals = Language.GlobalState.Default;

function column(name, type) {
  const symbol = Symbols.ScalarTypes.GetSymbol(type);
  if (!symbol) throw new Error(`unknown type ${type}`);
  return new Symbols.ColumnSymbol(name, symbol);
}

function columnsOf(table) {
  return Object.entries(table).map(([name, type]) => column(name, type));
}

// Microsoft Sentinel's function: a watchlist is a table, known by its alias.
function watchlistFunction(columns) {
  const parameter = new Symbols.Parameter.ctor('watchlistAlias', Symbols.ScalarTypes.String);
  return new Symbols.FunctionSymbol.$ctor5('_GetWatchlist', new Symbols.TableSymbol.ctor(columnsOf(columns)), [parameter]);
}

function declare(tables, watchlists) {
  const members = Object.entries(tables).map(([name, table]) => new Symbols.TableSymbol.$ctor4(name, columnsOf(table)));
  if (watchlists) members.push(watchlistFunction(watchlists));
  globals = Language.GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('db', members));
}

function listed(items) {
  const out = [];
  for (let index = 0; index < items.Count; index += 1) out.push(items.getItem(index));
  return out;
}

function told(diagnostic) {
  return `${diagnostic.Code} at ${diagnostic.Start}: ${diagnostic.Message}`;
}

// Kusto refuses to compare text with a number or a boolean ("Cannot compare values of types"); its language service does not say so.
const NUMBERS = new Set(['int', 'long', 'real', 'decimal', 'bool']);

function unlike(left, right) {
  const [one, other] = [left, right].map((node) => (node && node.ResultType ? node.ResultType.Name : ''));
  return (one === 'string' && NUMBERS.has(other)) || (other === 'string' && NUMBERS.has(one));
}

function comparisons(syntax) {
  const { Syntax } = Language;
  const equalities = [Syntax.SyntaxKind.EqualExpression, Syntax.SyntaxKind.NotEqualExpression];
  const pairs = listed(syntax.GetDescendants(Syntax.BinaryExpression))
    .filter((node) => equalities.includes(node.Kind))
    .map((node) => [node, node.Left, node.Right]);
  const members = listed(syntax.GetDescendants(Syntax.InExpression))
    .flatMap((node) => listed(node.Right.Expressions).map((item) => [node, node.Left, item.Element$1]));
  return [...pairs, ...members]
    .filter(([, left, right]) => unlike(left, right))
    .map(([node, left, right]) => `cannot compare ${left.ResultType.Name} with ${right.ResultType.Name} at ${node.TextStart}`);
}

function checked(query) {
  const parsed = Language.KustoCode.Parse(query, globals);
  if (parsed.Kind !== 'Query') return { stage: 'parse', message: `a ${parsed.Kind} is no query` };
  const broken = listed(parsed.GetDiagnostics()).filter((found) => found.Severity === 'Error');
  if (broken.length) return { stage: 'parse', message: broken.map(told).join('; ') };
  const code = Language.KustoCode.ParseAndAnalyze(query, globals);
  const found = listed(code.GetDiagnostics());
  const wrong = found.filter((each) => each.Severity === 'Error');
  const faults = [...wrong.map(told), ...comparisons(code.Syntax)];
  if (faults.length) return { stage: 'type', message: faults.join('; ') };
  const columns = code.ResultType && code.ResultType.Columns;
  return {
    columns: columns ? listed(columns).map((each) => [each.Name, each.Type.Name]) : null,
    warnings: found.filter((each) => each.Severity === 'Warning').map(told),
  };
}

function answer(line) {
  const request = JSON.parse(line);
  if (request.version) return { version: require(path.join(service, 'package.json')).version };
  if (request.tables) declare(request.tables, request.watchlists);
  return checked(request.query);
}

readline.createInterface({ input: process.stdin, terminal: false }).on('line', (line) => {
  let reply;
  try {
    reply = answer(line);
  } catch (error) {
    reply = { stage: 'type', message: `the language service failed: ${error}` };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
});
