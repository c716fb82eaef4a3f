import { describe, expect, it } from 'vitest';
import { renderSshConfig } from '../../../../launchers/host/render-ssh-config.ts';

const target = { host: 'login', port: 22, user: 'abaco', keyFile: '', jumps: [] };
const options = { target, knownHostsFile: '/etc/known hosts%', siteFile: '/etc/site', connectMs: 1_500 };

describe('the ssh_config of a login', () => {
  it('says what we insist on before the file of the site is read', () => {
    const lines = renderSshConfig(options).split('\n');
    const at = (text: string): number => lines.findIndex((line) => line.trim() === text);
    expect(at('StrictHostKeyChecking yes')).toBeGreaterThan(0);
    expect(at('UserKnownHostsFile "/etc/known hosts%%"')).toBeGreaterThan(0);
    expect(at('ForwardAgent no')).toBeGreaterThan(0);
    expect(at('Include "/etc/site"')).toBe(lines.length - 2);
    expect(at('ConnectTimeout 2')).toBeGreaterThan(0);
  });

  it('leads through hosts in their order, each with its own key', () => {
    const jump = (host: string) => ({ host, port: 2200, user: 'gate', keyFile: `/keys/${host}` });
    const text = renderSshConfig({ ...options, target: { ...target, jumps: [jump('one'), jump('two')] } });
    expect(text).toContain('ProxyJump abaco-jump-1,abaco-jump-2');
    expect(text).toContain('Host abaco-jump-2\n  HostName two\n  User gate\n  Port 2200\n  IdentityFile "/keys/two"');
  });

  it.each(['a"b', 'a\nb', 'a\\b'])('takes no path that could mean more: %j', (knownHostsFile) => {
    expect(() => renderSshConfig({ ...options, knownHostsFile })).toThrow('cannot be told to OpenSSH');
  });
});
