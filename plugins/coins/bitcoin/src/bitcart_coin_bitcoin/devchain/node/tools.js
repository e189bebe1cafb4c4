'use strict';
// What can be done to a development chain: mine, pay, replace, reorganise, make a key. One thing at a time, and each
// answers only when node and wallet agree on the result.

const {base58} = require('bstring');
const {RPCError} = require('bweb');
const {Address, Amount, MTX, hd} = require('bcoin');
const hash256 = require('bcrypto/lib/hash256');
const {ERROR, acceptIntoMempool, reversed} = require('./mempool');
const {costOfReplacing} = require('./replacement');

const REPLACEABLE = 0xfffffffd;  // BIP 125
const FEE_PER_KILOBYTE = 10000;
const DUST = 546;
const COINBASE_MATURITY = 100;
const VPUB = 0x045f1cf6;  // SLIP 132: account of native segwit keys on a test network
const AGREEMENT_SECONDS = 30;

class Tools {
  constructor(node, walletdb) {
    this.node = node;
    this.walletdb = walletdb;
    this.last = Promise.resolve();
  }

  get wallet() {
    return this.walletdb.primary;
  }

  mine(blocks) {
    return this.inTurn(async () => {
      checkCount('blocks', blocks, 10000);
      return this.node.rpc.mineBlocks(blocks, await this.freshAddress());
    });
  }

  pay(address, satoshis) {
    return this.inTurn(async () => {
      const output = {address: this.parseAddress(address), value: satoshis};
      return this.send(await this.wallet.createTX({outputs: [output], rate: FEE_PER_KILOBYTE}).catch(explainFunds));
    });
  }

  replace(txid, address) {
    return this.inTurn(async () => {
      const entry = this.node.mempool.getEntry(reversed(txid));
      if (!entry)
        throw new RPCError(ERROR.misc, `${txid} does not wait in the mempool; only what waits can be replaced`);
      const view = await this.wallet.getSpentView(entry.tx);
      if (!entry.tx.hasCoins(view))
        throw new RPCError(ERROR.misc, `${txid} was not paid by this chain's wallet; replace one of its own payments`);
      const target = address ? this.parseAddress(address) : await this.freshAddress();
      return this.send(await this.replacement(entry, view, target));
    });
  }

  reorg(depth, keepTransactions) {
    return this.inTurn(async () => {
      checkCount('depth', depth, Math.min(COINBASE_MATURITY, this.node.chain.height) - 1);
      const waiting = [...this.node.mempool.map.values()].map(({tx}) => tx);
      const lost = await this.lastBlocks(depth);
      await this.overtake(lost, keepTransactions);
      await this.agree();
      await this.forget(lost.flatMap(({txs}) => keepTransactions ? txs.slice(0, 1) : txs));
      await this.readmit(waiting);
      return this.node.chain.height;
    });
  }

  // The account of a new wallet that can only receive: its private key is thrown away.
  freshKey() {
    const raw = hd.PrivateKey.generate().derivePath("m/84'/1'/0'").toPublic().toRaw();
    const body = raw.slice(0, -4);
    body.writeUInt32BE(VPUB, 0);
    return base58.encode(Buffer.concat([body, hash256.digest(body).slice(0, 4)]));
  }

  inTurn(action) {
    const turn = this.last.then(async () => {
      await this.agree();
      const result = await action();
      await this.agree();
      return result;
    });
    this.last = turn.catch(() => {});
    return turn;
  }

  // The wallet follows the node's events at its own pace.
  async agree() {
    const deadline = Date.now() + AGREEMENT_SECONDS * 1000;
    while (await this.walletTip() !== this.node.chain.tip.hash) {
      if (Date.now() > deadline)
        throw new Error(`the wallet did not follow the chain within ${AGREEMENT_SECONDS} s`);
      await new Promise(setImmediate);
    }
  }

  async walletTip() {
    const unlock = await this.walletdb.txLock.lock();  // between two writes of a block there is no tip to read
    try {
      return (await this.walletdb.getTip()).hash;
    } finally {
      unlock();
    }
  }

  parseAddress(text) {
    try {
      return Address.fromString(text, this.node.network);
    } catch {
      throw new RPCError(ERROR.invalidAddress, `${text} is no address of this chain; send one such as bcrt1...`);
    }
  }

  async send(mtx) {
    for (const input of mtx.inputs)
      input.sequence = REPLACEABLE;
    await this.wallet.sign(mtx);
    const tx = mtx.toTX();
    await acceptIntoMempool(this.node.mempool, tx);
    await this.walletdb.addTX(tx);
    return tx.txid();
  }

  async replacement(entry, view, target) {
    const mtx = MTX.fromRaw(entry.tx.toRaw());
    mtx.view = view;
    for (const input of mtx.inputs) {
      input.script.clear();
      input.witness.clear();
    }
    const own = await Promise.all(mtx.outputs.map((output) => this.wallet.hasAddress(output.getAddress())));
    const foreign = mtx.outputs.filter((_, index) => !own[index]);
    const payments = foreign.length > 0 ? foreign : mtx.outputs.slice(0, 1);
    payments.forEach((output) => output.script.fromAddress(target));
    payExtraFee(mtx, payments, costOfReplacing(this.node.mempool, entry) - entry.fee);
    return mtx;
  }

  async lastBlocks(depth) {
    const {chain} = this.node;
    const heights = Array.from({length: depth}, (_, index) => chain.height - depth + 1 + index);
    return Promise.all(heights.map(async (height) => chain.getBlock((await chain.getEntry(height)).hash)));
  }

  // Mines a longer branch beside the last blocks, as the network would: the height never falls. Transactions that
  // are kept stand as high as before, so that coinbases they spend are as old as before.
  async overtake(lost, keepTransactions) {
    let tip = await this.node.chain.getEntry(lost[0].prevBlock);
    for (const block of [...lost, null]) {
      const txs = block && keepTransactions ? block.txs.slice(1) : [];
      tip = await this.node.chain.add(await this.branchBlock(tip, txs));
    }
  }

  async branchBlock(tip, txs) {
    const job = await this.node.miner.createJob(tip, await this.freshAddress());
    job.attempt.items = [];
    job.attempt.fees = 0;
    txs.forEach((tx) => job.pushTX(tx));
    job.refresh();
    return job.mineAsync();
  }

  async freshAddress() {
    return (await this.wallet.createReceive()).getAddress();
  }

  async forget(txs) {
    for (const tx of txs) {
      const hash = tx.hash('hex');
      const entry = this.node.mempool.getEntry(hash);
      if (entry)
        this.node.mempool.evictEntry(entry);
      if (await this.wallet.getTX(hash))
        await this.wallet.remove(hash);
    }
  }

  // bcoin empties its mempool of whatever spends a coinbase when blocks are lost, be it still mature or not.
  async readmit(txs) {
    for (const tx of txs) {
      if (!await this.node.chain.hasCoins(tx))
        await acceptIntoMempool(this.node.mempool, tx).catch(() => this.forget([tx]));
    }
  }
}

// The change pays, as long as it can, so that a payment keeps its amount.
function payExtraFee(mtx, payments, fee) {
  const isAble = (output) => output.value >= fee + DUST;
  const payer = mtx.outputs.find((output) => isAble(output) && !payments.includes(output)) || payments.find(isAble);
  if (!payer)
    throw new RPCError(ERROR.misc, 'the payment is too small for the fee of its replacement; replace a larger one');
  payer.value -= fee;
}

function explainFunds(error) {
  if (error.type !== 'FundingError')
    throw new RPCError(ERROR.misc, error.message);
  const [has, needs] = [error.availableFunds, error.requiredFunds].map((satoshis) => Amount.btc(satoshis));
  throw new RPCError(ERROR.insufficientFunds, `the chain's wallet can spend ${has} and needs ${needs}; mine more blocks`);
}

function checkCount(name, value, most) {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new RPCError(ERROR.misc, `${name} ${value} is out of range; send a whole number from 1 to ${most}`);
}

module.exports = {Tools};
