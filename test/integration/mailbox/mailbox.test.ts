import { describe } from 'vitest';
import { describeMailbox } from '../../support/mailbox-contract.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

describe.runIf(requireService('redis', await programAvailable('redis-server')))(
  'the mailbox on a Redis of its own',
  () => {
    describeMailbox(() => startRedis());
  },
);
