// A development certificate authority and one certificate for each service and person, by openssl.
// Identities are SPIFFE URIs; services also carry the names they are dialled by on this machine.
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

export const kTrustDomain = 'paymesh.local';
export const services = ['checkout', 'routing', 'watcher', 'settlement'];

/** Development identities: name -> SPIFFE path. */
export const identities = {
  ...Object.fromEntries(services.map((name) => [name, `service/${name}`])),
  edge: 'service/edge',
  olivia: 'person/olivia', // operator
  anna: 'person/anna', // approver
  rita: 'person/rita', // reader
};
export const spiffe = (name) => `spiffe://${kTrustDomain}/${identities[name]}`;

const openssl = (args, input) => execFileSync('openssl', args, {stdio: ['pipe', 'pipe', 'pipe'], input});

export class Certificates {
  constructor(folder) {
    this.folder = join(folder, 'tls');
    mkdirSync(this.folder, {recursive: true, mode: 0o700});
    this.ca = join(this.folder, 'ca.crt');
    this.caKey = join(this.folder, 'ca.key');
  }

  /** Paths that a client or server of this name uses. */
  paths(name) {
    return {ca: this.ca, certificate: join(this.folder, `${name}.crt`), key: join(this.folder, `${name}.key`)};
  }

  /** Makes what is missing. */
  ensure() {
    if (!existsSync(this.ca)) {
      openssl([
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '3650',
        '-subj',
        '/CN=Paymesh development CA',
        '-addext',
        'keyUsage=critical,keyCertSign,cRLSign',
        '-keyout',
        this.caKey,
        '-out',
        this.ca,
      ]);
    }
    for (const name of Object.keys(identities)) {
      if (!existsSync(this.paths(name).certificate)) this.issue(name, [spiffe(name)]);
    }
  }

  /** Issues (or replaces, atomically) a certificate with these URIs and, instead of this machine's names, `hosts`. */
  issue(name, uris, {days = 365, as = name, hosts} = {}) {
    const {certificate, key} = this.paths(as);
    const local = ['DNS:localhost', 'IP:127.0.0.1'];
    const names = [...uris.map((uri) => `URI:${uri}`), ...(hosts?.map((host) => `DNS:${host}`) ?? local)];
    const extensions = join(this.folder, `${as}.ext`);
    writeFileSync(
      extensions,
      `subjectAltName=${names.join(',')}\nkeyUsage=critical,digitalSignature\n` +
        'extendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=critical,CA:FALSE\n',
    );
    const request = openssl([
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${key}.new`,
    ]);
    openssl(
      [
        'x509',
        '-req',
        '-days',
        String(days),
        '-CA',
        this.ca,
        '-CAkey',
        this.caKey,
        '-CAcreateserial',
        '-extfile',
        extensions,
        '-out',
        `${certificate}.new`,
      ],
      request,
    );
    rmSync(extensions);
    renameSync(`${key}.new`, key);
    renameSync(`${certificate}.new`, certificate);
  }
}
