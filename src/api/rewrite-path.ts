/**
 * Every spelling of a path that clients use becomes the one that routes know: repeated slashes are one, and `/actors/v2`
 * is `/actors` (contract §1.1). `/executions` is `/actors/executions`. The query stays as it is.
 */
export function rewritePath(url: string): string {
  if (!url.startsWith('/')) return url;
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  const merged = path
    .replaceAll(/\/{2,}/g, '/')
    .replace(/^\/actors\/v2(?=\/|$)/, '/actors')
    .replace(/^\/executions\/?$/, '/actors/executions');
  return query < 0 ? merged : merged + url.slice(query);
}
