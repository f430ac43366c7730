// The entry of a worker.
import { openAndClose } from './publisher.js';

openAndClose().then(console.log);
