/**
 * The ssh_config of a login. What we insist on stands first, since OpenSSH takes the first value it finds; it holds for
 * each host on the way, and comes before whatever the site's own file says.
 */

import { InvalidError } from '../../src/errors.ts';

export interface SshConfigOptions {
  readonly target: OpensshTarget;
  readonly knownHostsFile: string;
  /** The site's own file; empty is none. */
  readonly siteFile: string;
  readonly connectMs: number;
}

export interface OpensshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty leaves it to the site's file and to the operator's agent. */
  readonly keyFile: string;
  /** Hosts on the way, the nearest first. */
  readonly jumps: readonly Omit<OpensshTarget, 'jumps'>[];
}

export function renderSshConfig({ target, knownHostsFile, siteFile, connectMs }: SshConfigOptions): string {
  const jumpName = (index: number): string => `abaco-jump-${index + 1}`;
  const lines = [
    '# Written by the service for each login; what is changed here is lost.',
    ...block('*', [
      'StrictHostKeyChecking yes',
      `UserKnownHostsFile ${quote(knownHostsFile)}`,
      'GlobalKnownHostsFile /dev/null',
      'UpdateHostKeys no',
      'VerifyHostKeyDNS no',
      'ForwardAgent no',
      'ForwardX11 no',
      'ClearAllForwardings yes',
      'PermitLocalCommand no',
      'ServerAliveInterval 15',
      'ServerAliveCountMax 3',
      `ConnectTimeout ${Math.max(1, Math.ceil(connectMs / 1_000))}`,
    ]),
    ...target.jumps.flatMap((jump, index) => block(jumpName(index), [`HostName ${jump.host}`, ...account(jump)])),
    ...block(target.host, [
      ...account(target),
      ...(target.jumps.length === 0 ? [] : [`ProxyJump ${target.jumps.map((_, index) => jumpName(index)).join(',')}`]),
    ]),
    // Nothing that jumps shares a socket with anybody.
    ...block('abaco-jump-*', ['ControlMaster no', 'ControlPath none']),
    ...(siteFile === '' ? [] : ['Match all', `  Include ${quote(siteFile)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function account({ port, user, keyFile }: Omit<OpensshTarget, 'jumps'>): readonly string[] {
  const key = keyFile === '' ? [] : [`IdentityFile ${quote(keyFile)}`, 'IdentitiesOnly yes'];
  return [`User ${user}`, `Port ${port}`, ...key];
}

function block(host: string, settings: readonly string[]): readonly string[] {
  return [`Host ${host}`, ...settings.map((setting) => `  ${setting}`)];
}

/** One word of ssh_config(5), without its tokens. */
function quote(path: string): string {
  if (/["\n\\]/.test(path)) {
    throw new InvalidError('request.invalid', `Path ${JSON.stringify(path)} cannot be told to OpenSSH; choose another`);
  }
  return `"${path.replaceAll('%', '%%')}"`;
}
