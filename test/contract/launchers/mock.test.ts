import { describeLauncher } from '../../support/launcher-contract.ts';
import { makeMockBench } from '../../support/mock-bench.ts';

describeLauncher('mock', makeMockBench);
