import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { tenantSettings } from '../../../src/config/tenant-settings.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

it('is what the tenant says, else what the service says, also for a tenant that is not configured', async () => {
  await using directory = await makeTestDirectory('tenant-settings');
  const file = join(directory.path, 'site.toml');
  writeFileSync(
    file,
    `[compat]
default_token = "true"
[tenants.A]
mode = "none"
log_keep = "1h"
max_message_bytes = "10 KB"
[tenants.B]
mode = "none"
`,
  );
  const { config } = loadConfig({ env: {}, file });
  const ofService = { defaultToken: 'true', logKeepMs: 43_200_000, logKeepLimitMs: 86_400_000 };
  expect(tenantSettings(config, 'A')).toEqual({
    ...ofService,
    logKeepMs: 3_600_000,
    messageBytes: { binary: 10_000, text: 10_000 },
  });
  for (const tenant of ['B', 'constructor', 'ANY']) {
    expect(tenantSettings(config, tenant)).toEqual({
      ...ofService,
      messageBytes: { binary: 500_000_000, text: 131_067 },
    });
  }
});
