import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { systemClock } from '@buddy/core';
import * as der from './der.ts';

/** What a server on this machine needs to speak HTTPS, all as PEM. */
export interface ThrowawayCertificate {
  readonly key: string;
  readonly cert: string;
  /** Whoever trusts this trusts the server, and nobody else: the authority's key is gone. */
  readonly ca: string;
}

const DAY_MS = 86_400_000;
/** Clocks of two machines, or of a container, differ a little. */
const CLOCK_SKEW_MS = 300_000;

/** Addresses under which the server can be reached. */
const NAMES = ['localhost'];
const ADDRESSES = ['127.0.0.1', '::1'];

/**
 * Makes an authority and, by it, a certificate for `localhost`, `127.0.0.1` and `::1`, good for 24 hours (RFC 5280, P-256,
 * ECDSA with SHA-256). By the machine's own time, for that is what those look at who check it.
 */
export function createThrowawayCertificate(): ThrowawayCertificate {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = nameOf('Buddy mocks, throwaway authority');
  const authorityId = keyIdOf(authority.publicKey);
  const ca = signed(authority.privateKey, {
    issuer,
    subject: issuer,
    publicKey: authority.publicKey,
    extensions: [
      extension('2.5.29.19', true, der.sequence(der.trueValue(), der.integer(Buffer.of(0)))), // an authority, of none below
      extension('2.5.29.15', true, der.bitString(Buffer.of(0x04), 2)), // its key signs certificates
      extension('2.5.29.14', false, der.octetString(authorityId)),
    ],
  });
  const cert = signed(authority.privateKey, {
    issuer,
    subject: nameOf('localhost'),
    publicKey: server.publicKey,
    extensions: [
      extension('2.5.29.19', true, der.sequence()), // no authority
      extension('2.5.29.15', true, der.bitString(Buffer.of(0x80), 7)), // its key signs handshakes
      extension('2.5.29.37', false, der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.3.1'))), // of servers
      extension('2.5.29.17', false, alternativeNames()),
      extension('2.5.29.14', false, der.octetString(keyIdOf(server.publicKey))),
      extension('2.5.29.35', false, der.sequence(der.taggedPrimitive(0, authorityId))),
    ],
  });
  return { key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert, ca };
}

interface Contents {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const ECDSA_WITH_SHA256 = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'));
const VERSION_3 = der.tagged(0, der.integer(Buffer.of(2)));

function signed(key: KeyObject, { issuer, subject, publicKey, extensions }: Contents): string {
  const now = systemClock.now();
  const toBeSigned = der.sequence(
    VERSION_3,
    der.integer(serialNumber()),
    ECDSA_WITH_SHA256,
    issuer,
    der.sequence(der.time(now - CLOCK_SKEW_MS), der.time(now + DAY_MS)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...extensions)),
  );
  const signature = der.bitString(sign('sha256', toBeSigned, key));
  const certificate = der.sequence(toBeSigned, ECDSA_WITH_SHA256, signature);
  const lines = certificate.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Positive, and without a leading zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function nameOf(commonName: string): Buffer {
  return der.sequence(
    der.set(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(commonName))),
  );
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der.trueValue()] : [];
  return der.sequence(der.objectIdentifier(id), ...critical, der.octetString(value));
}

function alternativeNames(): Buffer {
  return der.sequence(
    ...NAMES.map((name) => der.taggedPrimitive(2, Buffer.from(name))),
    ...ADDRESSES.map((address) => der.taggedPrimitive(7, bytesOf(address))),
  );
}

function bytesOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const loopback = Buffer.alloc(16); // `::1` is the only one
  loopback[15] = 1;
  return loopback;
}

/** RFC 5280, 4.2.1.2, method 1: SHA-1 of the key's bits, as a name and not for safety. */
function keyIdOf(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return createHash('sha1').update(Buffer.concat(point)).digest();
}
