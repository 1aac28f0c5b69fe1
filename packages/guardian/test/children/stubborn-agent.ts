// An agent in a process of its own: it counts and tells, from the number that it is told.
let step = Number(process.argv[2] ?? 0);
setInterval(() => {
  step += 1;
  process.send?.({ step });
}, 10);
