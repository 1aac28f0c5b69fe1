/** Each is a program for `node -e`. */
export const WORKS = `
  console.log('ready');
  setInterval(() => console.log('working'), 1000);
`;

export const CRASHES = `
  console.log('ready');
  setTimeout(() => { throw new Error('the queue is not what I expected'); }, 100);
`;

export const LEAKS = `
  console.log('ready');
  const held = [];
  setInterval(() => held.push(Buffer.alloc(8 * 2 ** 20, 1)), 50);
`;
