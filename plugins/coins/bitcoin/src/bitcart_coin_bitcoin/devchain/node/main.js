'use strict';
// Starts the node of a Bitcoin development chain: bcoin, in memory, on loopback, shaped like Bitcoin Core.
//
// Told by the environment: DEVCHAIN_PASSWORD for the RPC, DEVCHAIN_READY_FD, a pipe that gets one line of JSON once
// the node answers. Ends when its standard input does, so that it never outlives the process that started it.
// Resolves `bcoin` by NODE_PATH. Refuses to run on any network but regtest.

const fs = require('fs');
process.env.NODE_BACKEND = 'js';
require('./without_leveldown');
require('./core_network').apply();

const {FullNode, wallet} = require('bcoin');
const {allowReplacement} = require('./replacement');
const {answerLikeCore} = require('./core_rpc');
const {Tools} = require('./tools');

function buildNode(password) {
  const node = new FullNode({
    network: 'regtest',
    memory: true,
    workers: false,
    listen: false,
    maxOutbound: 1,
    indexTx: true,
    replaceByFee: true,
    httpHost: '127.0.0.1',
    httpPort: 0,
    apiKey: password,
    logLevel: 'warning',
    logConsole: true,
    walletWitness: true,
  });
  const plugin = node.use(wallet.plugin);
  plugin.http = {open() {}, close() {}, on() {}};  // the wallet answers at the node's address, not at one of its own
  return [node, plugin];
}

async function main() {
  const [node, plugin] = buildNode(process.env.DEVCHAIN_PASSWORD);
  const listening = new Promise((resolve) => node.http.on('listening', resolve));
  allowReplacement(node.mempool);
  await node.open();
  const tools = new Tools(node, plugin.wdb);
  answerLikeCore(node, plugin.rpc, tools);
  const {port} = await listening;
  fs.writeSync(Number(process.env.DEVCHAIN_READY_FD), JSON.stringify({port}) + '\n');
}

process.stdin.on('end', () => process.exit(0)).resume();
for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => process.exit(0));

main().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
