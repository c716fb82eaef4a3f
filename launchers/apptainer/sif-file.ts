/**
 * What a SIF says of itself, read from the file: which program its image runs. Apptainer keeps the OCI configuration of
 * an image it was made of as a data object "oci-config.json"; a SIF that was made of something else may say it by the
 * label `org.abaco.command`, a JSON list of words. Its runscript is not used: it is a shell's, and reads what it is given
 * as a shell does.
 *
 * Format: sif, "spec" of the SIF file format, version 01 and later: a header, and descriptors of 585 bytes each.
 */

import { LauncherError } from '../../src/errors.ts';

/** Reads `length` bytes at `offset`, or as many as there are. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

interface DataObject {
  readonly type: number;
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const headerBytes = 128;
const descriptorBytes = 585;
/** Of a descriptor: where its fields are. */
const at = { used: 4, offset: 17, size: 25, name: 73, nameBytes: 128 } as const;
/** Data of type "generic JSON". */
const jsonType = 0x4006;
/** More descriptors, or longer texts, are no image's. */
const most = { descriptors: 1_000, jsonBytes: 4_000_000 } as const;

export const commandLabel = 'org.abaco.command';

/** Throws `LauncherError` (`image.invalid`) for a file that is no SIF, and for one that does not say what it runs. */
export async function readSifCommand(path: string, read: ReadBytes): Promise<readonly string[]> {
  const objects = await readObjects(path, read);
  const readJson = async (name: string): Promise<unknown> => {
    const found = objects.find((object) => object.type === jsonType && object.name === name);
    if (!found || found.size > most.jsonBytes) return undefined;
    return parseJson(Buffer.from(await read(found.offset, found.size)).toString());
  };
  const command =
    commandOfConfig(await readJson('oci-config.json')) ?? commandOfLabels(await readJson('inspect-metadata.json'));
  if (command !== undefined) return command;
  const help = `make it of an OCI image, or give it the label ${commandLabel}, as in ["/usr/bin/align","--quiet"]`;
  throw invalid(
    path,
    `it does not say which program it runs: it has no entrypoint and no command as OCI images have, and its runscript is not used; ${help}`,
  );
}

async function readObjects(path: string, read: ReadBytes): Promise<readonly DataObject[]> {
  const header = Buffer.from(await read(0, headerBytes));
  if (header.length < headerBytes || header.toString('latin1', 32, 41) !== 'SIF_MAGIC')
    throw invalid(path, 'it is no SIF file');
  const total = Number(header.readBigInt64LE(88));
  const [start, size] = [Number(header.readBigInt64LE(96)), Number(header.readBigInt64LE(104))];
  const count = Math.min(total, Math.floor(size / descriptorBytes));
  if (!(count >= 0 && count <= most.descriptors && start >= 0))
    throw invalid(path, 'its descriptors are not where they belong');
  const bytes = Buffer.from(await read(start, count * descriptorBytes));
  const found: DataObject[] = [];
  for (let from = 0; from + descriptorBytes <= bytes.length; from += descriptorBytes) {
    if (bytes[from + at.used] !== 1) continue;
    const name = bytes.toString('utf8', from + at.name, from + at.name + at.nameBytes);
    found.push({
      type: bytes.readInt32LE(from),
      name: name.slice(0, name.indexOf('\0')),
      offset: Number(bytes.readBigInt64LE(from + at.offset)),
      size: Number(bytes.readBigInt64LE(from + at.size)),
    });
  }
  return found;
}

/** Nothing where neither is given; such an image runs nothing by itself. */
function commandOfConfig(config: unknown): readonly string[] | undefined {
  if (typeof config !== 'object' || config === null) return undefined;
  const { Entrypoint, Cmd } = config as { readonly Entrypoint?: unknown; readonly Cmd?: unknown };
  const command = [...wordsOf(Entrypoint), ...wordsOf(Cmd)];
  return command.length > 0 ? command : undefined;
}

function commandOfLabels(metadata: unknown): readonly string[] | undefined {
  const { data } = (metadata ?? {}) as { readonly data?: { readonly attributes?: { readonly labels?: unknown } } };
  const label = (data?.attributes?.labels as Readonly<Record<string, unknown>> | undefined)?.[commandLabel];
  const words = typeof label === 'string' ? wordsOf(parseJson(label)) : [];
  return words.length > 0 ? words : undefined;
}

function wordsOf(value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(path: string, why: string): LauncherError {
  return new LauncherError('image.invalid', `Image "${path}" cannot be used: ${why}`);
}
