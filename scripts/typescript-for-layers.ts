/**
 * Preloaded before dependency-cruiser: gives it TypeScript 6 where it asks for "typescript". TypeScript 7 is native and
 * has no parser to call from JavaScript, and swc's, the other one it knows, stumbles over `await using`.
 */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const asked = context.parentURL?.includes('/node_modules/dependency-cruiser/') ?? false;
    return nextResolve(asked ? specifier.replace(/^typescript(?=\/|$)/, 'typescript-6') : specifier, context);
  },
});
