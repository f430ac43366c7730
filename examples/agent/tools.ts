// The tool of the agent. A real one would request the weather from a service.
import { setTimeout as delay } from 'node:timers/promises';
import { tool } from 'ai';
import { z } from 'zod';

const DEGREES = new Map([
  ['Cairo', 31],
  ['Lima', 19],
  ['Oslo', -3],
]);

export const weather = tool({
  description: 'The temperature in a city, in °C.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    await delay(800);
    const degrees = DEGREES.get(city);
    if (degrees === undefined) throw new Error(`there is no weather station in ${city}`);
    return { city, degrees };
  },
});
