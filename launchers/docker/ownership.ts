/** Names and labels: how everything of this installation is told from everything else on the engine. */

import type { AttemptRef, LaunchSpec } from '../../src/launcher/launcher.ts';

export const labels = {
  installation: 'org.abaco.installation',
  execution: 'org.abaco.execution',
  attempt: 'org.abaco.attempt',
  launcher: 'org.abaco.launcher',
  tenant: 'org.abaco.tenant',
  actor: 'org.abaco.actor',
  /** As the user named it; the container itself runs the prepared form. */
  image: 'org.abaco.image',
  /** What the start marker holds behind "@" when this container's first process took it. */
  starter: 'org.abaco.starter',
  /** On images, so that no container ever inherits the label that says whose it is. */
  preparedFor: 'org.abaco.prepared-for',
} as const;

/** Engines hold names unique, so a second create of an attempt is refused while the first is there. */
export function containerName(installationId: string, ref: AttemptRef): string {
  return `abaco-${installationId}-${ref.executionId}-${ref.attempt}`;
}

export function containerLabels(
  spec: LaunchSpec,
  owner: { readonly installationId: string; readonly launcher: string; readonly starter: string },
): Record<string, string> {
  return {
    [labels.installation]: owner.installationId,
    [labels.execution]: spec.executionId,
    [labels.attempt]: String(spec.attempt),
    [labels.launcher]: owner.launcher,
    [labels.tenant]: spec.tenant,
    [labels.actor]: spec.actorId,
    [labels.image]: spec.image.name,
    [labels.starter]: owner.starter,
  };
}

/** Whose attempt a container is; nothing when it is not of this installation. */
export function attemptOf(
  found: Readonly<Record<string, string>> | null | undefined,
  installationId: string,
): AttemptRef | undefined {
  const executionId = found?.[labels.execution];
  const attempt = Number(found?.[labels.attempt]);
  const isOurs = found?.[labels.installation] === installationId;
  return isOurs && executionId && Number.isSafeInteger(attempt) ? { executionId, attempt } : undefined;
}

/** The filter an engine takes to list what carries these labels. */
export function labelFilter(wanted: Readonly<Record<string, string>>): { readonly label: readonly string[] } {
  return { label: Object.entries(wanted).map(([name, value]) => `${name}=${value}`) };
}
