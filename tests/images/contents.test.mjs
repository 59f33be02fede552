// What is in the images, what they say of themselves, and that it is all that they need.
import assert from 'node:assert/strict';
import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {root} from '../../deploy/local/mesh/mesh.mjs';
import {weaknesses} from './hardening.mjs';
import {OpenImage, imageOf, inspectImage, loadedLibraries, programs, runOnce, version} from './images.mjs';

const open = new Map(programs.map((program) => [program, new OpenImage(program)]));
after(() => {
  for (const image of open.values()) image.close();
});

const kMostMegabytes = 60;
const isLibrary = (path) => /^\/(usr\/)?lib(64)?\/.*\.so/.test(path);

test('the tag is the version that the chart asks for', () => {
  const chart = readFileSync(join(root, 'helm/paymesh/Chart.yaml'), 'utf8');
  assert.equal(/^appVersion: "(.*)"$/m.exec(chart)[1], version);
});

for (const program of programs) {
  const image = open.get(program);

  test(`${program}: its labels say what it is, its version and its revision, and nothing of where it was made`, () => {
    const {Labels: labels} = inspectImage(program);
    assert.equal(labels['org.opencontainers.image.title'], `paymesh/${program}`);
    assert.equal(labels['org.opencontainers.image.version'], version);
    assert.match(labels['org.opencontainers.image.revision'], /^[0-9a-f]{40}(-modified)?$/);
    assert.match(labels['org.opencontainers.image.created'], /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(!Object.keys(labels).some((label) => label.endsWith('.source') || label.endsWith('.url')));
  });

  test(`${program}: runs as user 65532, by name of nobody, as its image's only command`, () => {
    const {Config: config} = inspectImage(program);
    assert.equal(config.User, '65532:65532');
    assert.deepEqual(config.Entrypoint, [`/usr/bin/${program}`]);
    assert.ok(!config.Cmd?.length);
    assert.match(
      image.read('/etc/passwd').toString(),
      /^nonroot:x:65532:65532:[^:]*:\/nonexistent:\/usr\/sbin\/nologin\n$/,
    );
    assert.equal(image.read('/etc/group').toString(), 'nonroot:x:65532:\n');
  });

  test(`${program}: has no shell and no program but itself`, () => {
    const executable = image.files.filter(
      (file) => !isLibrary(file) && (statSync(image.path(file)).mode & 0o111) !== 0,
    );
    assert.deepEqual(executable, [`/usr/bin/${program}`]);
    for (const shell of ['/bin/sh', '/bin/bash', '/bin/busybox']) {
      assert.equal(runOnce(program, {entrypoint: shell, args: ['-c', 'true']}).code, 127, shell);
    }
  });

  test(`${program}: has exactly the libraries that its loader takes`, () => {
    const wanted = [...new Set([...loadedLibraries(program), '/lib64/ld-linux-x86-64.so.2'])].sort();
    assert.deepEqual(image.files.filter(isLibrary), wanted);
  });

  test(`${program}: is root's, writable for nobody else and with no set-user-id`, () => {
    const wrong = image.files.filter((file) => {
      const {uid, gid, mode} = statSync(image.path(file));
      return uid !== 0 || gid !== 0 || (mode & 0o6022) !== 0;
    });
    assert.deepEqual(wrong, []);
  });

  test(`${program}: is stripped and hardened`, () => {
    const file = image.path(`/usr/bin/${program}`);
    assert.deepEqual(weaknesses(file), []);
    assert.ok(!image.read(`/usr/bin/${program}`).includes('.debug_info'));
  });

  test(`${program}: has the certificates of the public authorities, where OpenSSL looks`, () => {
    assert.ok(
      (
        image
          .read('/etc/ssl/certs/ca-certificates.crt')
          .toString()
          .match(/BEGIN CERTIFICATE/g) ?? []
      ).length > 100,
    );
    assert.deepEqual(image.links, ['/usr/lib/ssl/cert.pem']);
  });

  test(`${program}: is small`, () => {
    const megabytes = inspectImage(program).Size / 1e6;
    console.log(
      `measured: ${imageOf(program)} is ${megabytes.toFixed(1)} MB with ${image.files.filter(isLibrary).length} libraries`,
    );
    assert.ok(megabytes < kMostMegabytes, `${megabytes} MB`);
  });
}
