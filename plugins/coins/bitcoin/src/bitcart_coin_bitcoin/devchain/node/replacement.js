'use strict';
// Gives bcoin's mempool what it lacks: replacing transactions by ones that pay more, as Bitcoin Core does.
//
// BIP 125 rules 3 and 4, without its signalling (Core 28 replaces any transaction), and the rule that a replacement
// may not spend what it replaces. Refuses nothing else: every other check stays bcoin's own.

const {VerifyError} = require('bcoin/lib/protocol/errors');

const INCREMENTAL_FEE_PER_BYTE = 1;

exports.allowReplacement = function allowReplacement(mempool) {
  const addEntry = mempool.addEntry;
  mempool.isDoubleSpend = () => false;  // decided below, where the fee is known
  mempool.addEntry = function addOrReplace(entry, view) {
    const rivals = findRivals(mempool, entry.tx);
    if (rivals.length > 0)
      checkReplacement(mempool, entry, rivals);
    for (const rival of rivals) {
      if (mempool.hasEntry(rival.tx.hash('hex')))
        mempool.evictEntry(rival);
    }
    return addEntry.call(mempool, entry, view);
  };
};

// A fee, in satoshis, that replaces a transaction and all that spend from it by one of up to twice its size.
exports.costOfReplacing = function costOfReplacing(mempool, entry) {
  return leastFee(withDescendants(mempool, [entry]), 2 * entry.size);
};

function leastFee(leaving, size) {
  const paid = [...leaving.values()].reduce((sum, {fee}) => sum + fee, 0);
  return paid + size * INCREMENTAL_FEE_PER_BYTE;
}

function findRivals(mempool, tx) {
  return tx.inputs.map(({prevout}) => mempool.getSpent(prevout.hash, prevout.index)).filter(Boolean);
}

function withDescendants(mempool, entries) {
  const found = new Map();
  const queue = [...entries];
  for (const entry of queue) {
    const hash = entry.tx.hash('hex');
    if (found.has(hash))
      continue;
    found.set(hash, entry);
    entry.tx.outputs.forEach((_, index) => queue.push(...[mempool.getSpent(hash, index)].filter(Boolean)));
  }
  return found;
}

function checkReplacement(mempool, entry, rivals) {
  const leaving = withDescendants(mempool, rivals);
  if (entry.tx.inputs.some(({prevout}) => leaving.has(prevout.hash)))
    throw new VerifyError(entry.tx, 'invalid', 'bad-txns-spends-conflicting-tx', 0);
  if (entry.fee < leastFee(leaving, entry.size))
    throw new VerifyError(entry.tx, 'insufficientfee', 'insufficient fee', 0);
}
