'use strict';
// Puts a transaction into the mempool, or says why not in the words and codes of Bitcoin Core (src/rpc/protocol.h).

const {RPCError} = require('bweb');

const ERROR = {
  misc: -1,
  invalidAddress: -5,
  insufficientFunds: -6,
  deserialization: -22,
  missingInputs: -25,
  rejected: -26,
  inChain: -27,
};

async function acceptIntoMempool(mempool, tx) {
  if (mempool.hasEntry(tx.hash('hex')))
    return;
  let missing;
  try {
    missing = await mempool.addTX(tx);
  } catch (error) {
    throw new RPCError(ERROR.rejected, error.reason || error.message);
  }
  if (missing)
    throw new RPCError(ERROR.missingInputs, 'bad-txns-inputs-missingorspent');
}

// bcoin keeps hashes in the order of their bytes, the world writes them backwards.
function reversed(hex) {
  return Buffer.from(hex, 'hex').reverse().toString('hex');
}

module.exports = {ERROR, acceptIntoMempool, reversed};
