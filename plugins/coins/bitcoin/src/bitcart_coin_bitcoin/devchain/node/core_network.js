'use strict';
// Makes bcoin's regtest the regtest of Bitcoin Core, which wallets and Electrum servers know (Core: chainparams.cpp).

const Chain = require('bcoin/lib/blockchain/chain');
const {thresholdStates} = require('bcoin/lib/blockchain/common');
const Network = require('bcoin/lib/protocol/network');
const networks = require('bcoin/lib/protocol/networks');

// Soft forks that are buried in Core's regtest; bcoin would ask miners to signal for 432 blocks first.
const ACTIVE_FROM_THE_START = new Set(['csv', 'segwit']);

exports.apply = function apply() {
  const {testnet, regtest} = networks;
  Object.assign(regtest.addressPrefix, testnet.addressPrefix, {bech32: 'bcrt'});
  Object.assign(regtest.keyPrefix, testnet.keyPrefix);
  Object.assign(regtest.block, {bip65height: 0, bip66height: 0});
  activateSoftForks();
  Network.set('regtest');
};

function activateSoftForks() {
  const original = Chain.prototype.getState;
  Chain.prototype.getState = async function getState(prev, deployment) {
    if (ACTIVE_FROM_THE_START.has(deployment.name))
      return thresholdStates.ACTIVE;
    return original.call(this, prev, deployment);
  };
}
