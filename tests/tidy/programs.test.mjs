// The programs as they were built are hardened: what the compiler and linker were asked for is there.
import assert from 'node:assert/strict';
import {join} from 'node:path';
import {test} from 'node:test';
import {root} from '../../deploy/local/mesh/mesh.mjs';
import {weaknesses} from '../images/hardening.mjs';

const preset = process.env.PAYMESH_PRESET ?? 'release';
const skip = preset === 'release' ? false : `preset ${preset} is not what is shipped`;

for (const program of ['checkout', 'routing', 'watcher', 'settlement', 'payctl']) {
  test(`${program} is hardened`, {skip}, () => {
    assert.deepEqual(weaknesses(join(root, 'build', preset, 'bin', program)), []);
  });
}
