// Each image's bill of materials names every file that is in the image, truly, and is a valid SPDX 2.3
// document: the fields that the specification requires, and references that lead somewhere.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {root} from '../../deploy/local/mesh/mesh.mjs';
import {OpenImage, loadedLibraries, programs, version} from './images.mjs';

const open = new Map(programs.map((program) => [program, new OpenImage(program)]));
after(() => {
  for (const image of open.values()) image.close();
});

const hash = (algorithm, data) => createHash(algorithm).update(data).digest('hex');
const text = (value) => typeof value === 'string' && value.length > 0;
const license = (value) => /^(NOASSERTION|NONE|[A-Za-z0-9][A-Za-z0-9.-]*)$/.test(value);

for (const program of programs) {
  const image = open.get(program);
  const where = `/usr/share/sbom/${program}.spdx.json`;
  const bill = JSON.parse(image.read(where));
  const packages = new Map(bill.packages.map((one) => [one.SPDXID, one]));
  const files = new Map(bill.files.map((one) => [one.SPDXID, one]));
  const related = (type) => bill.relationships.filter((one) => one.relationshipType === type);
  const holderOf = new Map(related('CONTAINS').map((one) => [one.relatedSpdxElement, packages.get(one.spdxElementId)]));

  test(`${program}: the document, its packages and its files have every field that SPDX 2.3 requires`, () => {
    assert.equal(bill.spdxVersion, 'SPDX-2.3');
    assert.equal(bill.dataLicense, 'CC0-1.0');
    assert.equal(bill.SPDXID, 'SPDXRef-DOCUMENT');
    assert.ok(text(bill.name));
    assert.match(bill.documentNamespace, /^https:\/\/[^#\s]+$/);
    assert.match(bill.creationInfo.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(bill.creationInfo.creators.length > 0);
    for (const creator of bill.creationInfo.creators) assert.match(creator, /^(Person|Organization|Tool): \S/);
    assert.deepEqual(bill.documentDescribes, ['SPDXRef-Image']);
    for (const one of bill.packages) {
      assert.ok(
        text(one.name) && text(one.versionInfo) && text(one.downloadLocation) && text(one.copyrightText),
        one.SPDXID,
      );
      assert.match(one.supplier, /^(Person|Organization): \S/);
      assert.ok(license(one.licenseConcluded) && license(one.licenseDeclared), one.SPDXID);
      assert.equal(one.filesAnalyzed, one.packageVerificationCode !== undefined, one.SPDXID);
    }
    for (const one of bill.files) {
      assert.match(one.fileName, /^\.\//);
      assert.deepEqual(
        one.checksums.map((sum) => sum.algorithm),
        ['SHA1', 'SHA256'],
      );
      assert.ok(license(one.licenseConcluded) && text(one.copyrightText));
    }
  });

  test(`${program}: identifiers are well formed, each is given once, and every reference leads somewhere`, () => {
    const ids = ['SPDXRef-DOCUMENT', ...bill.packages.map((one) => one.SPDXID), ...bill.files.map((one) => one.SPDXID)];
    for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/);
    assert.equal(new Set(ids).size, ids.length);
    for (const one of bill.relationships) {
      assert.ok(ids.includes(one.spdxElementId) && ids.includes(one.relatedSpdxElement), JSON.stringify(one));
    }
    assert.deepEqual(
      related('DESCRIBES').map((one) => one.relatedSpdxElement),
      ['SPDXRef-Image'],
    );
  });

  test(`${program}: every file of the image is listed with its true checksums, and none that is not there`, () => {
    assert.deepEqual(
      bill.files.map((one) => one.fileName.slice(1)).sort(),
      image.files.filter((file) => file !== where),
    );
    for (const one of bill.files) {
      const content = image.read(one.fileName.slice(1));
      assert.deepEqual(
        one.checksums.map((sum) => sum.checksumValue),
        [hash('sha1', content), hash('sha256', content)],
        one.fileName,
      );
    }
  });

  test(`${program}: every file belongs to one package; only the program and a few lines of text are ours`, () => {
    for (const one of bill.files) assert.ok(holderOf.has(one.SPDXID), one.fileName);
    assert.equal(related('CONTAINS').length, bill.files.length + bill.packages.length - 1);
    const ours = bill.files
      .filter((one) => holderOf.get(one.SPDXID).name === 'paymesh')
      .map((one) => one.fileName.slice(1));
    assert.deepEqual(ours.sort(), [
      '/etc/group',
      '/etc/ld.so.cache',
      '/etc/nsswitch.conf',
      '/etc/passwd',
      `/usr/bin/${program}`,
    ]);
    assert.equal(packages.get('SPDXRef-Package-paymesh').versionInfo, version);
  });

  test(`${program}: each library is linked to the program and comes from a Debian package with its version`, () => {
    const linked = related('DYNAMIC_LINK').map((one) => files.get(one.relatedSpdxElement));
    const loaded = [...new Set([...loadedLibraries(program), '/lib64/ld-linux-x86-64.so.2'])].sort();
    assert.deepEqual(linked.map((one) => one.fileName.slice(1)).sort(), loaded);
    for (const one of linked) {
      const holder = holderOf.get(one.SPDXID);
      const [reference] = holder.externalRefs;
      assert.equal(reference.referenceType, 'purl');
      assert.ok(
        reference.referenceLocator.startsWith(`pkg:deb/debian/${encodeURIComponent(holder.name)}@`),
        holder.name,
      );
      const recorded = image.read(`/var/lib/dpkg/status.d/${holder.name}`).toString();
      assert.equal(/^Version: (.*)$/m.exec(recorded)[1], holder.versionInfo);
    }
  });

  test(`${program}: verification codes are those of the files`, () => {
    for (const [id, one] of packages) {
      if (!one.filesAnalyzed) continue;
      const sums = bill.files
        .filter((file) => holderOf.get(file.SPDXID).SPDXID === id)
        .map((file) => file.checksums[0].checksumValue);
      assert.equal(
        one.packageVerificationCode.packageVerificationCodeValue,
        hash('sha1', sums.sort().join('')),
        one.name,
      );
    }
  });

  test(`${program}: the same document lies beside the build's output`, () => {
    assert.deepEqual(JSON.parse(readFileSync(join(root, 'build/images', `${program}.spdx.json`))), bill);
  });
}
