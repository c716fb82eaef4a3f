/**
 * Addresses of a host that a user names, called from a network of ours. Only public ones are given, unless all may be;
 * what is given is what is connected to, so that a name that changes meanwhile gains nothing.
 */

import type { LookupOptions } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIPv4, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { isPublicAddress } from './address-rule.ts';

export class PrivateAddressError extends Error {}

export interface LookUpOptions {
  readonly allowPrivate: boolean;
  /** Name servers; those of the system where none is given. */
  readonly servers?: readonly string[];
}

interface Address {
  readonly address: string;
  readonly family: number;
}

/** A name server that does not answer is asked no longer than who waits has time for. */
const patience = { timeout: 2_000, tries: 2 };

/** Fails with `PrivateAddressError` when one of the name's addresses is not public. */
export function createLookUp({ allowPrivate, servers }: LookUpOptions): LookupFunction {
  // The system's own look-up takes a thread of the few that also write files: users' slow names must not have those.
  const resolver = new Resolver(patience);
  if (servers) resolver.setServers(servers);

  async function publicAddresses(hostname: string): Promise<readonly Address[]> {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length === 0) throw new Error(`"${hostname}" has no address`);
    if (!found.every(isPublicAddress)) throw new PrivateAddressError(`"${hostname}" has an address that is not public`);
    return found.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
  }

  const find = callbackify(
    async (hostname: string, options: LookupOptions): Promise<readonly Address[]> =>
      allowPrivate ? await lookup(hostname, { ...options, all: true }) : await publicAddresses(hostname),
  );
  return (hostname, options, callback) => {
    find(hostname, options, (error, all) => {
      const [first] = error ? [] : all;
      if (!first) callback(error, '', 0);
      else if (options.all) callback(null, [...all]);
      else callback(null, first.address, first.family);
    });
  };
}
