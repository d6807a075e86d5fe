# %% + after:setup
import asyncio


async def later(value):
    await asyncio.sleep(0.01)
    return value


task = asyncio.create_task(later(5))
asyncio.get_event_loop().is_running()

# %% total
first, second = await asyncio.gather(later(0.0), later(1))
assert await task == 5
def total(values):
    return float(sum(values)) + first

# %% + after:test_total
async def counted():
    for number in range(3):
        yield number


print([number async for number in counted()])

# %% + after:test_total
forever = asyncio.create_task(asyncio.sleep(1000))
