/** So many at once, the first come first; the number may change while some are under way. */
export function createSlots(most: number) {
  const waiting: (() => void)[] = [];
  let taken = 0;
  const letIn = (): void => {
    while (taken < most) {
      const next = waiting.shift();
      if (!next) return;
      taken += 1;
      next();
    }
  };
  return {
    take: (): Promise<void> =>
      new Promise((resolve) => {
        waiting.push(resolve);
        letIn();
      }),
    give: (): void => {
      taken -= 1;
      letIn();
    },
    resize: (wanted: number): void => {
      most = wanted;
      letIn();
    },
  };
}
