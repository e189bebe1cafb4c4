'use strict';
// Answers the calls where bcoin and Bitcoin Core differ and an Electrum server or a person notices, and adds the
// calls of a development chain. Everything answers at one address, the wallet's calls too.

const {RPCError} = require('bweb');
const {Amount, TX} = require('bcoin');
const {ERROR, acceptIntoMempool, reversed} = require('./mempool');

const CORE_VERSION = 310000;
const MIN_RELAY_FEE = 0.00001;
const USUAL_FEE = 0.0001;

exports.answerLikeCore = function answerLikeCore(node, walletRpc, tools) {
  const rpc = node.rpc;
  Object.assign(rpc.calls, nodeCalls(node), walletCalls(walletRpc, tools), devchainCalls(tools));
  rpc.mount(walletRpc);
};

function nodeCalls(node) {
  const {getnetworkinfo, getmempoolinfo} = node.rpc.calls;
  return {
    getnetworkinfo: extended(node.rpc, getnetworkinfo, {version: CORE_VERSION, incrementalfee: MIN_RELAY_FEE}),
    getmempoolinfo: extended(node.rpc, getmempoolinfo, {
      loaded: true,
      minrelaytxfee: MIN_RELAY_FEE,
      incrementalrelayfee: MIN_RELAY_FEE,
    }),
    getindexinfo: async () => {
      const index = {synced: true, best_block_height: node.chain.height};
      return {txindex: index, txospenderindex: index};
    },
    estimatesmartfee: async ([blocks]) => ({feerate: USUAL_FEE, blocks}),
    gettxspendingprevout: async ([outpoints]) => outpoints.map((outpoint) => spender(node.mempool, outpoint)),
    sendrawtransaction: ([hex]) => broadcast(node, hex),
  };
}

function walletCalls(walletRpc, tools) {
  const {getnewaddress} = walletRpc.calls;
  return {
    getnewaddress: ([account], help) => getnewaddress.call(walletRpc, [account || 'default'], help),
    sendtoaddress: ([address, amount]) => tools.pay(address, Amount.value(amount)),
  };
}

function devchainCalls(tools) {
  return {
    'devchain.mine': ([blocks]) => tools.mine(blocks),
    'devchain.pay': ([address, satoshis]) => tools.pay(address, satoshis),
    'devchain.replace': ([txid, address]) => tools.replace(txid, address),
    'devchain.reorg': ([depth, keepTransactions]) => tools.reorg(depth, keepTransactions),
    'devchain.freshkey': () => tools.freshKey(),
  };
}

function extended(rpc, call, fields) {
  return async (params, help) => Object.assign(await call.call(rpc, params, help), fields);
}

function spender(mempool, {txid, vout}) {
  const entry = mempool.getSpent(reversed(txid), vout);
  return entry ? {txid, vout, spendingtxid: entry.tx.txid()} : {txid, vout};
}

// bcoin answers before it has looked at the transaction, and so can never say what is wrong with it.
async function broadcast(node, hex) {
  let tx;
  try {
    tx = TX.fromRaw(Buffer.from(hex, 'hex'));
  } catch {
    throw new RPCError(ERROR.deserialization, 'TX decode failed. Make sure the tx has at least one input.');
  }
  if (await node.chain.hasCoins(tx))
    throw new RPCError(ERROR.inChain, 'Transaction outputs already in utxo set');
  await acceptIntoMempool(node.mempool, tx);
  return tx.txid();
}
