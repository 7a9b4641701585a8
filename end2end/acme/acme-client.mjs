// npm's acme-client on the command line: `obtain`, `register`, `revoke` and `rekey`, driven by a JSON argument.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import acme from 'acme-client';

const [command, given] = process.argv.slice(2);
const task = JSON.parse(given);

const key = existsSync(task.account) ? readFileSync(task.account) : await acme.crypto.createPrivateEcdsaKey();
writeFileSync(task.account, key);
const client = new acme.Client({
  directoryUrl: task.directory,
  accountKey: key,
  externalAccountBinding: { kid: task.kid, hmacKey: task.key },
  backoffMin: 200,
  backoffMax: 1000,
});

async function answer(authorization, challenge, keyAuthorization) {
  const name = authorization.identifier.value;
  if (challenge.type === 'http-01') {
    writeFileSync(`${task.challenges}/${challenge.token}`, keyAuthorization);
  } else if (challenge.type === 'dns-01') {
    writeFileSync(`${task.records}/_acme-challenge.${name}`, `${keyAuthorization}\n`, { flag: 'a' });
  } else {
    const [privateKey, certificate] = await acme.crypto.createAlpnCertificate(authorization, keyAuthorization);
    writeFileSync(`${task.alpn}/${name}.key.pem`, privateKey);
    writeFileSync(`${task.alpn}/${name}.crt.pem`, certificate);
  }
}

if (command === 'obtain') {
  const [privateKey, csr] = await acme.crypto.createCsr({ commonName: task.names[0], altNames: task.names });
  const pem = await client.auto({
    csr,
    email: 'admin@example.com',
    termsOfServiceAgreed: true,
    challengePriority: [task.method],
    skipChallengeVerification: true,
    challengeCreateFn: answer,
    challengeRemoveFn: async () => {},
  });
  writeFileSync(task.keyFile, privateKey);
  writeFileSync(task.certificate, pem);
} else {
  await client.createAccount({ termsOfServiceAgreed: true, contact: ['mailto:admin@example.com'] });
  if (command === 'revoke') {
    await client.revokeCertificate(readFileSync(task.certificate), { reason: 4 });
  } else if (command === 'rekey') {
    const fresh = await acme.crypto.createPrivateEcdsaKey();
    await client.updateAccountKey(fresh);
    writeFileSync(task.account, fresh);
  }
}
