// Types of the activities under test; activity.test.ts creates them over its publisher.

export declare function write(id: string): Promise<string>;
export declare function pick(id: string): Promise<{ picked: number }>;
export declare function work(id: string): Promise<void>;
