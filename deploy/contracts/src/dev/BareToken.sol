// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Development only: the book-keeping of a six-decimal token without ERC-20's return values, for
/// the tokens that break that part of the standard. Anyone may mint.
abstract contract BareToken {
    uint8 public constant decimals = 6;

    string public name;
    string public symbol;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error BalanceTooLow();
    error AllowanceTooLow();

    constructor(string memory name_, string memory symbol_) {
        name = name_;
        symbol = symbol_;
    }

    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function _move(address from, address to, uint256 amount) internal {
        if (balanceOf[from] < amount) revert BalanceTooLow();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }

    function _spendAllowance(address owner, address spender, uint256 amount) internal {
        if (allowance[owner][spender] < amount) revert AllowanceTooLow();
        allowance[owner][spender] -= amount;
    }

    function _allow(address owner, address spender, uint256 amount) internal {
        allowance[owner][spender] = amount;
        emit Approval(owner, spender, amount);
    }
}
