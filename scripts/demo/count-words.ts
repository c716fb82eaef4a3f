/** Words as images/actors/word-count counts them: longest runs of letters. */
export function countWords(text: string): number {
  return text.match(/\p{Alphabetic}+/gu)?.length ?? 0;
}
