/** As much of the blob store as those need who have large bodies: see `storage/blob-store.ts`, which implements it. */
export interface Blobs {
  put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    name?: string,
  ): Promise<{ readonly blob: string; readonly bytes: number }>;
  open(name: string, offset?: number): AsyncIterable<Uint8Array>;
  openLog(name: string): Promise<BlobWriter>;
  /** Nothing when there is no such blob. */
  size(name: string): Promise<number | undefined>;
  remove(name: string): Promise<void>;
}

export interface BlobWriter {
  /** Where the next append goes. */
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
