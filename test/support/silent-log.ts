import type { LauncherLog } from '../../src/launcher/launcher.ts';

/** For what is tested by what it does and not by what it logs. */
export const silentLog: LauncherLog = { debug() {}, info() {}, warn() {}, error() {} };
