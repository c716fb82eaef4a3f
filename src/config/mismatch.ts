import type { SettingPath } from './setting-path.ts';

/** Settings that do not fit one another. */
export interface Mismatch {
  /** The one the message is about comes first. */
  readonly paths: readonly [SettingPath, ...SettingPath[]];
  readonly message: string;
}
