'use strict';
// Lets bcoin load without its compiled database, which does not build on a current Node.js; memory needs none.

const file = require.resolve('leveldown');

require.cache[file] = {
  id: file,
  filename: file,
  loaded: true,
  exports: class {
    constructor() {
      throw new Error('this node keeps its chain in memory only');
    }
  },
};
