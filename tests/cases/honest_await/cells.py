# %% + after:setup
import asyncio


async def later(value):
    await asyncio.sleep(0.01)
    return value

print("awaited", await later(7))
